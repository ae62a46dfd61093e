/**
 * Goal: on a terminal a dead letter is edited in the editor that the user named.
 *
 * Method: the function behind `millrace dlq edit`, a desk on an embedded broker in memory, and
 * editors that are one-line programs.
 */

import { expect, it, onTestFinished, vi } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { editLetter } from '../../src/cli/edit-letter.ts'
import { shopDesk } from '../../src/cli/shop-desk.ts'
import { ecomNames } from '../../src/cli/topic-names.ts'
import { stderrLogger } from '../../src/cli/stderr-logger.ts'
import { systemClock } from '../../src/clock.ts'
import { writeLetters } from '../dlq/letters.ts'

/** Reads the file, puts what `change` makes of the text, writes it. */
const editor = (change: string): string =>
  `"${process.execPath}" -e "const fs = require('fs'), f = process.argv[1];`
  + ` const text = fs.readFileSync(f, 'utf8'); fs.writeFileSync(f, ${change})"`

const onTerminal = (command: string): void => {
  const { isTTY } = process.stdin
  process.stdin.isTTY = true
  onTestFinished(() => {
    process.stdin.isTTY = isTTY
  })
  vi.stubEnv('VISUAL', command)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
}

const open = async () => {
  const broker = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock: systemClock })
  onTestFinished(() => broker.close())
  const letters = await writeLetters(broker, 2, Date.now())
  const desk = shopDesk({ broker, logger: stderrLogger('silent'), names: ecomNames })
  const [, { id, value }] = letters as [unknown, (typeof letters)[number]]
  const edit = () => editLetter(desk, { id, by: 'me@here', flags: { reason: 'spelling' } })
  return { desk, id, value, edit }
}

it('takes what the editor leaves, and starts from the last edit', async () => {
  const { desk, id, value, edit } = await open()
  onTerminal(editor(`text + ' \\n'`))
  expect(await edit()).toMatchObject({ isChanged: true })
  const once = (await desk.show(id))!.amendedRaw!.text
  expect(once).toBe(`${value} `)
  expect(await edit()).toMatchObject({ isChanged: true })
  expect((await desk.show(id))!.amendedRaw!.text).toBe(`${once} `)
})

it('changes nothing if the editor only ended the last line', async () => {
  const { desk, id, edit } = await open()
  onTerminal(editor(`text + '\\n'`))
  expect(await edit()).toMatchObject({ isChanged: false })
  expect((await desk.show(id))!).toMatchObject({ isEdited: false, audit: [] })
})

it('changes nothing if the editor fails, and says so', async () => {
  const { desk, id, edit } = await open()
  onTerminal('false')
  await expect(edit()).rejects.toThrow('false ended with status 1')
  expect((await desk.show(id))!.audit).toEqual([])
})
