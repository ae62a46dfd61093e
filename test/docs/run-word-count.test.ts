/** Goal: the program that the page on running a topology shows runs, and goes on where it was. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openWordCount } from '../../docs/examples/run-word-count.ts'

test('counts, is closed, opened again, and goes on', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-word-count-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const expected of [2, 4]) {
    const words = await openWordCount(folder)
    await words.send('l1', 'to be or not to be')
    await vi.waitFor(() => expect(words.count('be')).toBe(expected), 20_000)
    expect(words.lag()).toBe(0)
    await words.close()
  }
})
