/** What the tests of conditional and repeated requests expect of answers. */

import { expect } from 'vitest'
import { problemUri } from '../../src/http/problem.ts'
import { problemKinds } from '../../topologies/shop/http/problem-kinds.ts'
import type { Answer } from './shop-client.ts'

/** As headers of a request. */
export const key = (name: string): Record<string, string> => ({ 'idempotency-key': name })

export const replayed = ({ headers }: Answer): string | null => headers.get('idempotency-replayed')

export const isProblem = ({ status, body }: Answer, kind: keyof typeof problemKinds): void => {
  const { name, status: expected, title } = problemKinds[kind]
  const given = [status, body['status'], body['type'], body['title']]
  expect(given).toEqual([expected, expected, problemUri(name), title])
}
