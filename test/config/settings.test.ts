import { describe, expect, it } from 'vitest'
import { parseDurationMs, formatDurationMs } from '../../src/config/duration.ts'
import { editDistance, nearest } from '../../src/config/nearest.ts'
import { optionSpecs } from '../../src/config/options.ts'
import { type FlagValues, resolveSettings } from '../../src/config/settings.ts'
import { formatSize, parseSizeBytes } from '../../src/config/size.ts'
import { UsageError } from '../../src/config/usage-error.ts'

interface Sources {
  readonly flags?: FlagValues
  readonly env?: Record<string, string>
  readonly file?: unknown
}

const resolve = ({ flags = {}, env = {}, file }: Sources = {}) =>
  resolveSettings({ flags, env, file })

const complaint = (sources: Sources): string => {
  try {
    resolve(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}

describe('settings', () => {
  it('takes defaults where nothing is given', () => {
    const settings = resolve()
    expect(settings.port).toBe(4004)
    expect(settings.stateDir).toBe('.millrace')
    expect(settings.runtime).toEqual({})
    expect(settings.forMs).toBeUndefined()
  })

  it('prefers flags to variables to the file to defaults', () => {
    const file = { port: 1, rate: 1, seed: 1 }
    const env = { MILLRACE_PORT: '2', MILLRACE_RATE: '2' }
    const settings = resolve({ flags: { port: '3' }, env, file })
    expect([settings.port, settings.rate, settings.seed]).toEqual([3, 2, 1])
  })

  it('reads durations from each source', () => {
    expect(resolve({ flags: { forMs: '20s' } }).forMs).toBe(20_000)
    expect(resolve({ env: { MILLRACE_FOR: '1.5m' } }).forMs).toBe(90_000)
    expect(resolve({ file: { forMs: '2h' } }).forMs).toBe(7_200_000)
    expect(resolve({ file: { forMs: 250 } }).forMs).toBe(250)
  })

  it('takes the name of a flag as a key of the file too', () => {
    const file = { for: '1s', drain: '2s', transferDeadline: '3s', connectTimeout: '4s' }
    expect(resolve({ file })).toMatchObject({
      forMs: 1_000,
      drainMs: 2_000,
      transferDeadlineMs: 3_000,
      connectTimeoutMs: 4_000,
    })
  })

  it('reads sizes from each source', () => {
    const bytes = (sources: Sources): number => resolve(sources).stateMemoryBytes
    expect(bytes({})).toBe(192 * 2 ** 20)
    expect(bytes({ flags: { stateMemoryBytes: '256MiB' } })).toBe(2 ** 28)
    expect(bytes({ env: { MILLRACE_STATE_MEMORY: '1.5GiB' } })).toBe(1.5 * 2 ** 30)
    expect(bytes({ file: { stateMemory: '64MB' } })).toBe(64e6)
    expect(bytes({ file: { stateMemoryBytes: 2 ** 26 } })).toBe(2 ** 26)
  })

  it('says of every text that follows a pattern what is expected', () => {
    const bare = [...optionSpecs.values()].filter(
      ({ schema }) => 'pattern' in schema && !('expected' in schema),
    )
    expect(bare.map(({ name }) => name)).toEqual([])
  })

  it('passes only runtime options that differ from the default', () => {
    expect(resolve({ flags: { commitIntervalMs: '50' } }).runtime).toEqual({ commitIntervalMs: 50 })
    expect(resolve({ env: { MILLRACE_COMMIT_INTERVAL_MS: '100' } }).runtime).toEqual({})
  })

  it('reads booleans', () => {
    expect(resolve({ env: { MILLRACE_LOAD: 'false' } }).load).toBe(false)
    expect(resolve({ flags: { load: false } }).load).toBe(false)
  })

  it.each([
    [{ flags: { port: '99999' } }, '--port: 99999 is not a whole number from 0 to 65535'],
    [{ flags: { port: 'http' } }, '--port: "http" is not a whole number from 0 to 65535'],
    [{ flags: { port: '' } }, '--port: "" is not a whole number from 0 to 65535'],
    [{ env: { MILLRACE_FOR: '20' } }, 'MILLRACE_FOR: "20" is not a duration such as'],
    [{ file: { rate: '20' } }, 'millrace.json: rate: "20" is not a number from'],
    [{ flags: { output: 'yaml' } }, '--output: "yaml" is not one of table, json'],
    [{ env: { MILLRACE_STATE_ENGINE: 'lmbd' } }, 'MILLRACE_STATE_ENGINE: "lmbd" is not one of'],
    [
      { file: { stateEngine: 'mdb' } },
      'stateEngine: "mdb" is not one of rocksdb, lmdb; the nearest is \'lmdb\'',
    ],
    [{ env: { MILLRACE_LOAD: 'maybe' } }, 'MILLRACE_LOAD: "maybe" is not true or false'],
    [{ file: { prot: 1 } }, "unknown key 'prot'; the nearest known one is 'port'"],
    [{ file: { for: 20 } }, 'millrace.json: for: 20 is not a duration such as'],
    [{ file: { stateMemory: 100 } }, 'millrace.json: stateMemory: 100 is not a size such as'],
    [{ flags: { stateMemoryBytes: '300' } }, '--state-memory: "300" is not a size such as'],
    [{ env: { MILLRACE_STATE_MEMORY: '1MiB' } }, '1048576 is not a size such as 64MiB'],
    [{ file: { for: 'x' } }, 'millrace.json: for: "x" is not a duration such as'],
    [{ file: { for: '1s', forMs: 1 } }, "'for' and 'forMs' are the same option: give one of them"],
    [{ file: { fro: '1s' } }, "unknown key 'fro'; the nearest known one is 'for'"],
    [{ flags: { url: 'nonsense' } }, '--url: "nonsense" is not an address such as http://local'],
    [{ flags: { url: 'http://a:1/api' } }, 'such as http://localhost:4004, without a path'],
    [{ flags: { paymentUrl: 'ftp://a' } }, '--payment-url: "ftp://a" is not a URL such as https'],
    [{ flags: { instanceId: 'a b' } }, '"a b" is not 1 to 64 letters, digits, hyphens or'],
    [{ file: [] }, 'an object of options is expected'],
    [{ env: { MILLRACE_STATEDIR: 'x' } }, 'the nearest known one is MILLRACE_STATE_DIR'],
  ])('refuses %j', (sources, message) => {
    expect(complaint(sources as Sources)).toContain(message)
  })

  it('has a description for each option, and distinct flags and variables', () => {
    const specs = [...optionSpecs.values()]
    for (const spec of specs) expect(spec.description, spec.name).toMatch(/\.$/)
    expect(new Set(specs.map(({ flag }) => flag)).size).toBe(specs.length)
    expect(new Set(specs.map(({ env }) => env)).size).toBe(specs.length)
  })
})

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['20s', 20_000],
    ['0s', 0],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['20', undefined],
    ['-1s', undefined],
    ['s', undefined],
    ['1 s', undefined],
  ])('%s is %s ms', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs)
  })

  it('are written back in the largest exact unit', () => {
    expect([0, 500, 20_000, 90_000, 86_400_000].map(formatDurationMs)).toEqual([
      '0ms',
      '500ms',
      '20s',
      '90s',
      '1d',
    ])
  })
})

describe('sizes', () => {
  it.each([
    ['512KiB', 524_288],
    ['256MiB', 268_435_456],
    ['1.5GiB', 1_610_612_736],
    ['256MB', 256_000_000],
    ['7B', 7],
    ['256', undefined],
    ['256mb', undefined],
    ['-1MiB', undefined],
    ['1 MiB', undefined],
  ])('%s is %s bytes', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes)
  })

  it('are written back in the largest exact unit', () => {
    expect([0, 100, 1_536, 2 ** 26, 2 ** 31].map(formatSize)).toEqual([
      '0B',
      '100B',
      '1536B',
      '64MiB',
      '2GiB',
    ])
  })
})

describe('nearest', () => {
  it('counts insertions, deletions, replacements and swaps of neighbours', () => {
    expect(editDistance('port', 'port')).toBe(0)
    expect(editDistance('prot', 'port')).toBe(1)
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('', 'abc')).toBe(3)
  })

  it('finds the nearest, and nothing among nothing', () => {
    expect(nearest('--stat-dir', ['--rate', '--state-dir', '--seed'])).toBe('--state-dir')
    expect(nearest('x', [])).toBeUndefined()
  })
})
