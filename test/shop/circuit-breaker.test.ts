import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { type BreakerState, CircuitBreaker } from '../../topologies/shop/gateway/circuit-breaker.ts'

const open = () => {
  const clock = new ManualClock()
  const states: BreakerState[] = []
  const breaker = new CircuitBreaker({
    failuresMax: 3,
    openMs: 100,
    openMaxMs: 350,
    nowMs: () => clock.monotonicMs(),
    onChange: (state) => states.push(state),
  })
  const fail = (): void => breaker.failed(breaker.permit())
  const succeed = (): void => breaker.succeeded(breaker.permit())
  const failThrice = (): void => [1, 2, 3].forEach(fail)
  return { clock, breaker, states, fail, succeed, failThrice }
}

describe('a circuit breaker', () => {
  it('opens after so many failures in a row, and not before', () => {
    const { breaker, fail, succeed, states } = open()
    for (let round = 0; round < 5; round++) {
      fail()
      fail()
      succeed()
    }
    expect([breaker.state, breaker.waitMs()]).toEqual(['closed', 0])
    fail()
    fail()
    fail()
    expect([breaker.state, breaker.waitMs(), states]).toEqual(['open', 100, ['open']])
    expect(() => breaker.permit()).toThrow(/waitMs/)
  })

  it('lets one call find out, and the others wait for it', () => {
    const { clock, breaker, failThrice, states } = open()
    failThrice()
    clock.advanceBy(99)
    expect(breaker.waitMs()).toBe(1)
    clock.advanceBy(1)
    const trial = breaker.permit()
    expect([breaker.state, breaker.waitMs()]).toEqual(['half-open', 500])
    breaker.succeeded(trial)
    expect([breaker.state, breaker.waitMs()]).toEqual(['closed', 0])
    expect(states).toEqual(['open', 'half-open', 'closed'])
  })

  it('stays away twice as long each time, up to a bound, until a call succeeds', () => {
    const { clock, breaker, fail, failThrice, succeed } = open()
    failThrice()
    const waits: number[] = []
    for (let round = 0; round < 4; round++) {
      waits.push(breaker.waitMs())
      clock.advanceBy(breaker.waitMs())
      fail()
    }
    expect(waits).toEqual([100, 200, 350, 350])
    clock.advanceBy(350)
    succeed()
    failThrice()
    expect(breaker.waitMs()).toBe(100)
  })

  it('ignores what comes of calls from before it opened', () => {
    const { clock, breaker, failThrice } = open()
    const [early, earlier] = [breaker.permit(), breaker.permit()]
    failThrice()
    breaker.succeeded(early)
    expect(breaker.state).toBe('open')
    clock.advanceBy(100)
    const trial = breaker.permit()
    breaker.failed(earlier)
    expect(breaker.state).toBe('half-open')
    breaker.failed(trial)
    expect([breaker.state, breaker.waitMs()]).toEqual(['open', 200])
    breaker.succeeded(trial) // told twice: the second time is in vain
    expect(breaker.state).toBe('open')
  })

  it('gives the trial to somebody else if its caller gives up', () => {
    const { clock, breaker, failThrice } = open()
    failThrice()
    clock.advanceBy(100)
    breaker.abandoned(breaker.permit())
    expect(breaker.waitMs()).toBe(0)
    breaker.succeeded(breaker.permit())
    expect(breaker.state).toBe('closed')
  })

  it('opens at once for as long as the provider said', () => {
    const { clock, breaker } = open()
    breaker.openFor(breaker.permit(), 5_000)
    clock.advanceBy(4_000)
    expect(breaker.waitMs()).toBe(1_000)
  })
})
