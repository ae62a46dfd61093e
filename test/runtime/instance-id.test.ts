/**
 * Two instances with one instance id, hence one transactional id, fence each other for ever: one of
 * them must stop, say so, and leave the other to work.
 */

import { expect, test } from 'vitest'
import type { Site } from './fixture.ts'
import type { Launched } from './instance.ts'
import { expectRounds, open, sendRound, topology } from './replica-rounds.ts'

const isStopped = ({ application }: Launched): boolean => application.state === 'failed'

/** Sends rounds until one of both has stopped. @returns how many */
const roundsUntilStopped = async (site: Site, both: readonly Launched[]): Promise<number> => {
  for (let round = 1; round <= 200; round++) {
    await sendRound(site)
    await site.turn(40)
    if (both.some(isStopped)) return round
  }
  throw new Error('both go on')
}

test('one of two with the same instance id stops and names it; the other goes on', async () => {
  const site = await open()
  const both = [1, 2].map(() => site.launch({ topology, instanceId: 'same' }))
  const rounds = await roundsUntilStopped(site, both)
  await site.idle()
  expect(both.filter(isStopped)).toHaveLength(1)
  const stopped = both.find(isStopped)!
  await expectRounds(site, rounds)
  const reason: unknown = await stopped.application.stopped.catch((error: unknown) => error)
  expect(reason).toMatchObject({ code: 'STREAMS_INSTANCE_ID_IN_USE', action: 'stop' })
  expect(String(reason)).toContain('another instance has the id same: give each its own')
})

test('an instance that restarts often is no second one', async () => {
  const site = await open()
  let instance = await site.start({ topology, instanceId: 'same' })
  for (let life = 0; life < 8; life++) {
    await sendRound(site)
    instance.kill()
    instance = await site.start({ topology, instanceId: 'same', disk: instance.disk })
  }
  await site.idle()
  expect(instance.application.state).toBe('running')
  await expectRounds(site, 8)
})
