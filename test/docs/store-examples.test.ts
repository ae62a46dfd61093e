/** Goal: the example of `docs/stores.md` does what the page says, over restarts too. */

import { describe, expect, test } from 'vitest'
import { answers, codeEvents, codes, loginCodes } from '../../docs/examples/login-codes.ts'
import { minutes, seconds } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

describe.each([false, true])('login codes, restarted before each record: %s', (restarts) => {
  test('open once, until ten minutes after they were sent', () => {
    const driver = new TopologyDriver(loginCodes, {
      partitions: 2,
      rebuildBeforeEachRecord: restarts,
    })
    const at = (
      timestampMs: number,
      user: string,
      kind: 'sent' | 'entered',
      code: string,
    ): void => {
      if (restarts) driver.restart()
      driver.pipe(codeEvents, user, { kind, code }, { timestampMs })
    }
    const enter = (timestampMs: number, user: string, code: string): unknown => {
      at(timestampMs, user, 'entered', code)
      return driver.values(answers).at(-1)
    }
    at(0, 'ann', 'sent', '1111')
    at(seconds(1), 'ben', 'sent', '2222')
    expect(enter(seconds(5), 'ann', '2222')).toBe('refused')
    expect(enter(seconds(6), 'ann', '1111')).toBe('accepted')
    expect(enter(seconds(7), 'ann', '1111')).toBe('refused')
    expect([...driver.query(codes).range()]).toEqual([['ben', '2222']])

    at(minutes(1), 'ann', 'sent', '3333')
    expect(enter(minutes(11) - 1, 'ann', '3334')).toBe('refused')
    expect(enter(minutes(11), 'ann', '3333')).toBe('refused')
    expect(driver.query(codes).get('ann')).toBeUndefined()

    // of a code that comes late only the rest of its time is left, if any
    at(minutes(1), 'ann', 'sent', '4444')
    expect(enter(minutes(11), 'ann', '4444')).toBe('refused')
    at(minutes(1) + 1, 'ann', 'sent', '5555')
    expect(enter(minutes(11), 'ann', '5555')).toBe('accepted')
    expect(driver.deadLetters()).toEqual([])
  })
})
