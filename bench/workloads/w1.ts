/** W1 of the peer benchmark, pass-through: keys and values go on unchanged. */

import { bytes, stream, to, topic, topology, type Topology, utf8 } from '../../src/index.ts'

export const w1 = ([input]: readonly string[], [output]: readonly string[]): Topology => {
  const records = topic(input!, { key: utf8, value: bytes })
  const copies = topic(output!, { key: utf8, value: bytes })
  return topology('w1', () => [stream(records).pipe(to(copies))])
}
