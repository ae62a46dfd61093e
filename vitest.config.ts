/**
 * What holds for every run of tests, of all by `npm test` or of one file by `npx vitest run`.
 *
 * No test is about time: on a busy machine a second of work may take ten.
 */

import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 30_000 } })
