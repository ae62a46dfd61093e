/**
 * The dead letters of another process, over its HTTP API.
 *
 * Used when that process holds the state directory. Every call may be sent twice: what is settled
 * is not selected again.
 */

import type {
  DeadLetterAccess,
  EditReport,
  EditRequest,
  LetterDetail,
  LetterPage,
  PageRequest,
  SettleReport,
  SettleRequest,
} from '../dlq/dead-letter-access.ts'
import { DeskError, type DeskErrorCode } from '../dlq/desk-error.ts'
import type { LetterSelection } from '../dlq/letter-selection.ts'
import type { LetterStats } from '../dlq/letter-stats.ts'
import { deskErrorStatus } from '../http/dead-letter-routes.ts'
import { type ApiCall, InstanceApi } from './instance-api.ts'

const root = '/api/dlq'

export class RemoteDesk implements DeadLetterAccess {
  readonly #api: InstanceApi

  /** @param address  such as `http://127.0.0.1:4004` */
  constructor(address: string) {
    this.#api = new InstanceApi(address)
  }

  list({ selection, cursor, limit }: PageRequest): Promise<LetterPage> {
    const { ids: _ids, ...conditions } = selection
    const query = queryOf({ ...conditions, cursor, limit })
    return this.#ask<LetterPage>(`${root}/letters?${query}`)
  }

  async show(id: string): Promise<LetterDetail | undefined> {
    const path = `${root}/letters/${encodeURIComponent(id)}`
    const response = await this.#api.fetch(path)
    if (response.status === 404) return undefined
    return (await this.#api.bodyOf(response, path)) as LetterDetail
  }

  stats({ ids: _ids, ...conditions }: LetterSelection): Promise<LetterStats> {
    return this.#ask<LetterStats>(`${root}/stats?${queryOf(conditions)}`)
  }

  settle(request: SettleRequest): Promise<SettleReport> {
    return this.#ask<SettleReport>(`${root}/settle`, { method: 'POST', body: request })
  }

  edit({ id, ...body }: EditRequest): Promise<EditReport> {
    const path = `${root}/letters/${encodeURIComponent(id)}/amendment`
    return this.#ask<EditReport>(path, { method: 'POST', body })
  }

  async #ask<T>(path: string, call: ApiCall = {}): Promise<T> {
    const response = await this.#api.fetch(path, call)
    const code = codes.find((known) => deskErrorStatus[known] === response.status)
    if (code === undefined) return (await this.#api.bodyOf(response, path)) as T
    const { detail = '' } = (await response.json()) as { readonly detail?: string }
    throw new DeskError(code, detail)
  }
}

const codes = Object.keys(deskErrorStatus) as readonly DeskErrorCode[]

const queryOf = (
  fields: Readonly<Record<string, string | number | undefined>>,
): URLSearchParams => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, String(value))
  }
  return query
}
