/**
 * Codes that open a login once, within ten minutes: the expiring store of `docs/stores.md`.
 *
 * Run by `test/docs/store-examples.test.ts`, which shows what expires and when.
 */

import {
  json,
  minutes,
  process,
  stream,
  to,
  topic,
  topology,
  ttlStore,
  utf8,
} from '../../src/index.ts'

export type CodeEvent =
  | { readonly kind: 'sent'; readonly code: string }
  | { readonly kind: 'entered'; readonly code: string }

export type Answer = 'accepted' | 'refused'

export const codeEvents = topic('code-events', { key: utf8, value: json<CodeEvent>() })
export const answers = topic('code-answers', { key: utf8, value: json<Answer>() })

/** The latest code of each user; gone ten minutes after it was sent. */
export const codes = ttlStore('login-codes', {
  key: utf8,
  value: json<string>(),
  ttlMs: minutes(10),
})

export const loginCodes = topology('login-codes', () => [
  stream(codeEvents).pipe(
    process(
      'check-code',
      { codes },
      {
        onRecord({ key, value, timestampMs }, stores): readonly Answer[] {
          if (value.kind === 'sent') {
            stores.codes.put(key, value.code, timestampMs)
            return []
          }
          if (stores.codes.get(key) !== value.code) return ['refused']
          stores.codes.delete(key) // opens once
          return ['accepted']
        },
        prefetchKeys: ({ key }) => ({ codes: [key] }),
      },
    ),
    to(answers),
  ),
])
