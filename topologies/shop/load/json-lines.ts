/**
 * Load files of JSON lines: each line the body of one `POST /api/orders`.
 *
 * The order id is the body's own, or UUIDv5 of file name, line number and line: loading the file
 * again, after a crash or by mistake, makes no new orders.
 */

import { shopNamespace, uuidV5 } from '../shared/ids.ts'
import { parseExactJson } from '../shared/exact-json.ts'
import { parseOrderRequest } from '../shared/order-request.ts'
import type { LoadLine } from './load-line.ts'

/**
 * @param fileName  without its folder: a file keeps its orders when it is moved
 * @param nowMs     wall clock: orders of the future are refused
 * @returns         a function of a line and its number, from 1
 */
export const jsonLineParser = (fileName: string, nowMs: number) => {
  const namespace = uuidV5(uuidV5(shopNamespace, 'json-lines'), fileName)
  return (line: string, lineNumber: number): LoadLine => {
    let body: unknown
    try {
      body = parseExactJson(line)
    } catch (error) {
      return { ok: false, reason: (error as Error).message }
    }
    const parsed = parseOrderRequest(body, nowMs)
    if (!parsed.ok) {
      // the line as a whole has an empty pointer
      const reason = parsed.problems
        .map(({ pointer, detail }) => `${pointer} ${detail}`.trimStart())
        .join('; ')
      return { ok: false, reason }
    }
    const orderId = parsed.value.orderId ?? uuidV5(namespace, `${lineNumber}:${line.trim()}`)
    return { ok: true, orderId, order: parsed.value }
  }
}
