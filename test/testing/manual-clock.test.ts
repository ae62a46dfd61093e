import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'

describe('manual clock', () => {
  it('fires timers in the order of their times, then of their creation', () => {
    const clock = new ManualClock(1000)
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name}@${clock.nowMs()}`)
    clock.setTimer(20, note('late'))
    clock.setTimer(10, note('first'))
    clock.setTimer(10, note('second'))
    clock.setTimer(0, note('now'))
    clock.advanceBy(9)
    expect(fired).toEqual(['now@1000'])
    clock.advanceBy(100)
    expect(fired).toEqual(['now@1000', 'first@1010', 'second@1010', 'late@1020'])
    expect([clock.nowMs(), clock.monotonicMs(), clock.timerCount]).toEqual([1109, 109, 0])
  })

  it('fires a timer set by a timer in the same advance, if it is due', () => {
    const clock = new ManualClock(0)
    let count = 0
    const again = (): void => {
      count += 1
      clock.setTimer(10, again)
    }
    again()
    clock.advanceBy(35)
    expect(count).toBe(4)
    expect(clock.nextTimerInMs).toBe(5)
  })

  it('does not fire what was cancelled, also from within another timer', () => {
    const clock = new ManualClock(0)
    const fired: string[] = []
    const cancel = clock.setTimer(10, () => fired.push('cancelled'))
    clock.setTimer(5, cancel)
    clock.advanceTo(50)
    cancel()
    expect(fired).toEqual([])
    expect(clock.nowMs()).toBe(50)
  })

  it('refuses to run back', () => {
    const clock = new ManualClock(100)
    expect(() => clock.advanceTo(99)).toThrow(RangeError)
    expect(() => clock.advanceBy(Number.NaN)).toThrow(RangeError)
  })
})
