/** Goal: whatever fails while closing does not hide what failed first, nor what the disk said. */

import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { CommandError, failureOf } from '../../src/cli/failure.ts'
import { RuntimeError } from '../../src/errors/classes.ts'
import { resolveConfig } from '../../src/runtime-config.ts'
import { StoreClosedError, StoreFullError, StoreLossError } from '../../state/errors.ts'

/** What `await using` throws: `first` in the block, then each of the others while closing. */
const thrownBy = async (first: Error, ...closing: readonly Error[]): Promise<unknown> => {
  try {
    await using parts = new AsyncDisposableStack()
    for (const error of closing.toReversed()) {
      parts.defer(() => {
        throw error
      })
    }
    throw first
  } catch (error) {
    return error
  }
}

const caught = (call: () => unknown): unknown => {
  try {
    return call()
  } catch (error) {
    return error
  }
}

const full = new StoreFullError('/state/broker')
const refused = new BrokerError('BROKER_UNAVAILABLE', 'refused', { cause: full })

describe('what a command tells of its failure', () => {
  it('options of the runtime by their flags', () => {
    const config = { sessionTimeoutMs: 300, heartbeatIntervalMs: 300 }
    const thrown = caught(() => resolveConfig(config))
    expect(failureOf(thrown, []).message).toBe(
      'STREAMS_CONFIG: --heartbeat-interval-ms 300 must be at most a third of '
        + '--session-timeout-ms 300\n',
    )
  })

  it.each([
    ['the first of several', [new CommandError('first'), new CommandError('second')], /^first\n$/],
    ['the disk behind a refusal', [refused], /^STATE_FULL: no space left.*free some space/],
    ['the disk, met while closing', [new CommandError('late'), refused, full], /^STATE_FULL/],
    ['not a store closed on the way', [new CommandError('x'), new StoreClosedError('get')], /^x\n/],
  ] as const)('%s', async (_name, [first, ...closing], expected) => {
    const { message, exitCode } = failureOf(await thrownBy(first, ...closing), [])
    expect(message).toMatch(expected)
    expect(message.trimEnd()).not.toContain('\n')
    expect(exitCode).toBe(1)
  })

  it('a loss is refused for safety', () => {
    expect(failureOf(new StoreLossError('the broker', 'it is empty'), []).exitCode).toBe(4)
  })

  it('so is state of another cluster or topology', () => {
    const mismatch = new RuntimeError('STREAMS_STATE_MISMATCH', 'made by another cluster')
    expect(failureOf(mismatch, []).exitCode).toBe(4)
  })
})
