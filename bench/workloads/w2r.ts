/**
 * W2R of the peer benchmark: the last value of a million keys, and questions about them.
 *
 * A record whose key starts with `~probe-` asks for the value of the key that it carries; any other
 * is kept under its own key and goes on unchanged.
 */

import {
  bytes,
  keyValueStore,
  process,
  stream,
  to,
  topic,
  topology,
  type Topology,
  utf8,
} from '../../src/index.ts'

const last = keyValueStore('last', { key: utf8, value: bytes })
const nothing = new Uint8Array(0)
const text = new TextDecoder()

const isProbe = (key: string): boolean => key.startsWith('~probe-')

export const w2r = ([input]: readonly string[], [output]: readonly string[]): Topology => {
  const values = topic(input!, { key: utf8, value: bytes })
  const copies = topic(output!, { key: utf8, value: bytes })
  return topology('w2r', () => [
    stream(values).pipe(
      process(
        'keep-last',
        { last },
        {
          onRecord({ key, value }, stores) {
            if (isProbe(key)) return [stores.last.get(text.decode(value)) ?? nothing]
            stores.last.put(key, value)
            return [value]
          },
        },
      ),
      to(copies),
    ),
  ])
}
