/** What those ask who run the shop: health, counts, alarms, rows of stores, dead letters. */

import type { Pattern, Step } from '../step.ts'
import { tea } from './places.ts'

const look = (
  row: string,
  what: string,
  shows: { readonly [field: string]: Pattern },
  path = row.slice('GET '.length),
): Step => ({ row, what, method: 'GET', path, status: [200], shows })

const letters = { selection: { topic: '{run}-none' }, limit: 10, isDryRun: true, by: 'the walk' }

/** A page of dead letters that nobody has, and one that is not there. */
const deadLetters: readonly Step[] = [
  look('GET /api/dlq/letters', 'of a topic: none', { letters: [] }, '/api/dlq/letters?topic=no'),
  look('GET /api/dlq/stats', 'how many there are', { total: { open: 0 } }),
  {
    row: 'GET /api/dlq/letters/{id}',
    what: 'there is none: 404',
    method: 'GET',
    path: '/api/dlq/letters/ecom.dlq-0-999999',
    status: [404],
  },
  {
    row: 'POST /api/dlq/settle',
    what: 'a dry run: nothing to replay',
    method: 'POST',
    path: '/api/dlq/settle',
    body: { ...letters, what: 'replay' },
    status: [200],
  },
  {
    row: 'POST /api/dlq/letters/{id}/amendment',
    what: 'there is none to amend: refused',
    method: 'POST',
    path: '/api/dlq/letters/ecom.dlq-0-999999/amendment',
    body: { value: { encoding: 'utf8', text: '{}' }, by: 'the walk', isRaw: false },
    status: [400, 404, 422],
  },
]

/** Every alarm of an invariant is there, and counted nothing. */
export const silentAlarms = look('GET /metrics', 'alarms of invariants, all silent', {
  text: new RegExp(
    '^(?![^]*^millrace_invariant_violations_total.* [1-9])[^]*'
      + '^millrace_invariant_violations_total.*"stock-conserved".* 0$',
    'm',
  ),
})

export const operationSteps: readonly Step[] = [
  look('GET /health/live', 'the process is there', {}),
  look('GET /health/ready', 'and has its partitions', {}),
  look('GET /health/startup', 'and has started', {}),
  look('GET /api/status', 'orders by status', { isReady: true }),
  look('GET /api/summary', 'everything counted', {}),
  silentAlarms,
  look(
    'GET /api/stores/{store}/rows',
    'a page of products',
    { rows: [{ key: /./ }] },
    '/api/stores/products/rows?limit=2',
  ),
  look(
    'GET /api/stores/{store}/rows/{key}',
    'one product',
    { rows: [{ key: tea }] },
    `/api/stores/products/rows/${tea}`,
  ),
  ...deadLetters,
]
