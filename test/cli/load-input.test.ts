/**
 * Goal: whatever is given to `load` is read as it is, or refused with a sentence before it costs
 * anything.
 *
 * Method: the real command on files, pipes and links as the system makes them; lines of bytes that
 * no editor would write.
 */

import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lineBytesMax, readLines } from '../../src/cli/read-lines.ts'
import { millrace, type SpawnOptions, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const at = (name: string): string => join(folder.path, name)

const order = (n: number, more: object = {}): string =>
  JSON.stringify({
    customerId: `c-${n}`,
    currency: 'EUR',
    items: [{ productId: 'tea', quantity: 1, price: '2.50' }],
    ...more,
  })

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(at(name), content)
  return at(name)
}

const args = (path: string, stateDir: string, ...more: readonly string[]): readonly string[] =>
  ['load', path, '--exit', '-o', 'json', '--port', '0', '--state-dir', at(stateDir)].concat(more)

interface Loaded {
  readonly orders: number
  readonly load: object
}

const load = async (
  argv: readonly string[],
  options: SpawnOptions = {},
): Promise<{ readonly exitCode: number | null; readonly stderr: string; readonly sum: Loaded }> => {
  const { exitCode, stdout, stderr } = await millrace(argv, { cwd: folder.path, ...options })
  return { exitCode, stderr, sum: JSON.parse(stdout === '' ? '{}' : stdout) as Loaded }
}

describe('lines', () => {
  const linesOf = async (chunks: readonly string[]) => {
    const lines = []
    const bytes = (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk)
    })()
    for await (const line of readLines(bytes)) lines.push(line)
    return lines
  }

  it('are the same however the bytes come', async () => {
    const text = 'one\n\ntwo\r\nthree\u2028four\nlast'
    const wanted = ['one', '', 'two\r', 'three\u2028four', 'last']
    for (const sizes of [1, 2, 3, 7, 100]) {
      const chunks = text.match(new RegExp(`[^]{1,${sizes}}`, 'g'))!
      const lines = await linesOf(chunks)
      expect(lines.map(({ bytes }) => String(bytes))).toEqual(wanted)
      expect(lines.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5])
      for (const { startByte, endByte, bytes } of lines) {
        expect(Buffer.from(text).subarray(startByte, endByte)).toEqual(bytes)
      }
    }
    expect(await linesOf([])).toEqual([])
    expect(await linesOf(['x\n'])).toHaveLength(1)
  })

  it('have a bound, beyond which only their place is known', async () => {
    const half = 'x'.repeat(lineBytesMax / 2)
    const lines = await linesOf([half, half, '\n', half, half, 'x', half, '\nnext\n'])
    expect(lines.map(({ bytes }) => bytes?.length)).toEqual([lineBytesMax, undefined, 4])
    const startByte = lineBytesMax + 1
    const endByte = startByte + lineBytesMax * 1.5 + 1
    expect(lines[1]).toMatchObject({ number: 2, startByte, endByte })
    expect(lines[2]).toMatchObject({ number: 3, startByte: endByte + 1 })
  })
})

describe('load reads', { timeout: 60_000 }, () => {
  it('bytes as they are, and keeps those of malformed lines', async () => {
    const mark = Buffer.from([0xef, 0xbb, 0xbf])
    const latin = Buffer.from(order(2).replace('c-2', 'M\xfcller'), 'latin1')
    const long = Buffer.from(`{"notes":"${'n'.repeat(lineBytesMax)}"}\r`)
    const lines: readonly Buffer[] = [
      Buffer.concat([mark, Buffer.from(order(1))]),
      latin,
      Buffer.from(`${order(3)}\r`),
      long,
      Buffer.from(order(5, { notes: 'first\u2028second' })),
      Buffer.from(order(6)),
    ]
    const content = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
    const path = file('bytes.jsonl', content.subarray(0, -1))
    const { exitCode, stderr, sum } = await load(args(path, 'bytes'))
    expect(exitCode, stderr).toBe(0)
    expect(sum).toMatchObject({ orders: 4, load: { lines: 6, sent: 4, malformed: 2 } })
    expect(stderr).toContain(`${path}:2: its bytes are not UTF-8`)
    expect(stderr).toContain(`${path}:4: is longer than ${lineBytesMax} bytes`)
    const lf = Buffer.from('\n')
    expect(readFileSync(`${path}.rejects`)).toEqual(Buffer.concat([latin, lf, long, lf]))
  })

  it('a pipe as stdin, once for the same content', async () => {
    const stdin = `${order(1)}\n${order(2)}\n`
    const first = await load(args('-', 'stdin'), { stdin })
    expect(first.exitCode, first.stderr).toBe(0)
    expect(first.sum).toMatchObject({ orders: 2, load: { lines: 2, sent: 2 } })
    const again = await load(args('/dev/stdin', 'stdin'), { stdin })
    expect(again.sum).toMatchObject({ orders: 2, load: { sent: 0, alreadyThere: 2 } })
    // another content makes other orders, though a line of it is the same
    const other = await load(args('-', 'stdin'), { stdin: `${order(1)}\n` })
    expect(other.sum).toMatchObject({ orders: 3, load: { sent: 1 } })
    const named = { stdin: `${order(1)}\n` }
    const today = await load(args('-', 'stdin', '--document', 'today'), named)
    expect(today.sum).toMatchObject({ orders: 4, load: { sent: 1 } })
    const more = await load(args('-', 'stdin', '--document', 'today'), { stdin })
    expect(more.sum).toMatchObject({ orders: 5, load: { sent: 1, alreadyThere: 1 } })
  })

  it('what the shell puts in place of <(…)', () => {
    const bin = join(import.meta.dirname, '..', '..', 'bin', 'millrace')
    const path = file('substituted.jsonl', order(1))
    const command = `"${bin}" load <(cat "${path}") --exit -o json --port 0 --state-dir sub`
    const { stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: folder.path,
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/bytes read, as document stdin-[0-9a-f]{16}$/m)
    expect(JSON.parse(stdout)).toMatchObject({ orders: 1, load: { lines: 1 } })
  })

  it('a named pipe, also one that is written late', async () => {
    spawnSync('mkfifo', [at('fifo')])
    const running = startMillrace(args(at('fifo'), 'fifo-state'), { cwd: folder.path })
    const writer = spawn(
      'sh',
      ['-c', `printf '%s\\n' '${order(1)}'; sleep 0.3; echo '${order(2)}'`],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    const into = spawn('sh', ['-c', `cat > "${at('fifo')}"`], {
      stdio: [writer.stdout!, 'ignore', 'ignore'],
    })
    const { exitCode, stdout, stderr } = await running.ended
    into.kill()
    expect(exitCode, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ orders: 2, load: { lines: 2, sent: 2 } })
  })

  it.each(['fifo without a writer', 'stdin that stays open'])('%s until Ctrl-C', async (what) => {
    const isFifo = what.startsWith('fifo')
    if (isFifo) spawnSync('mkfifo', [at('idle')])
    const argv = args(isFifo ? at('idle') : '-', 'idle')
    const running = startMillrace(argv, isFifo ? {} : { stdin: null })
    await running.waitFor(/reading .* to its end first/)
    running.process.kill('SIGINT')
    const { exitCode, stderr } = await running.ended
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('nothing was loaded')])
    expect(existsSync(at('idle/broker'))).toBe(false)
  })

  it('an empty file as no orders', async () => {
    const { exitCode, stderr, sum } = await load(args(file('empty.jsonl', ''), 'empty'))
    expect(stderr).toContain('has no lines')
    expect(exitCode).toBe(0)
    expect(sum).toMatchObject({ orders: 0, load: { lines: 0, isComplete: true } })
  })
})

describe('load refuses, and opens nothing for', { timeout: 60_000 }, () => {
  const good = file('good.jsonl', `${order(1)}\nno order\n`)

  it('a file in which no line is an order', async () => {
    const path = file('none.jsonl', '00004 0001 19970101 2 29.33\nother\n')
    const { exitCode, stderr } = await load(args(path, 'untouched'))
    expect(stderr).toContain(
      `no line of ${path} is an order, nothing was loaded; is --format json right?`,
    )
    expect(exitCode).toBe(1)
    expect(readFileSync(`${path}.rejects`, 'utf8')).toBe(readFileSync(path, 'utf8'))
    expect(existsSync(at('untouched'))).toBe(false)
  })

  it('rejects that would overwrite the input, under whatever name', async () => {
    symlinkSync(good, at('soft.jsonl'))
    linkSync(good, at('hard.jsonl'))
    const before = readFileSync(good)
    for (const rejects of [good, at('soft.jsonl'), at('hard.jsonl')]) {
      const { exitCode, stderr } = await load(args(good, 'untouched', '--rejects', rejects))
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('is the input')])
      expect(readFileSync(good)).toEqual(before)
    }
    expect(existsSync(at('untouched'))).toBe(false)
  })

  it('rejects that cannot be written', async () => {
    mkdirSync(at('good.d'))
    for (const rejects of [at('missing/rejects'), at('good.d')]) {
      const { exitCode, stderr } = await load(args(good, 'untouched', '--rejects', rejects))
      expect(stderr).toContain(`cannot write malformed lines to ${rejects}: `)
      expect(stderr).toContain('name another place with --rejects')
      expect(exitCode).toBe(1)
    }
    expect(existsSync(at('untouched'))).toBe(false)
  })

  it('what is no file', async () => {
    const directory = await load(args(folder.path, 'untouched'))
    expect(directory.stderr).toBe(
      `millrace: ${folder.path} is a directory; name a file of orders\n`,
    )
    const device = await load(args('/dev/null', 'untouched'))
    expect(device.stderr).toContain('/dev/null is neither a file nor a pipe')
    const missing = await load(args(at('nowhere'), 'untouched'))
    expect(missing.stderr).toContain(`cannot read ${at('nowhere')}: ENOENT`)
    const closed = await load(args('/dev/fd/57', 'untouched'))
    expect(closed.stderr).toContain('cannot read /dev/fd/57: EBADF')
    const codes = [directory, device, missing, closed].map(({ exitCode }) => exitCode)
    expect(codes).toEqual([1, 1, 1, 1])
    expect(readdirSync(folder.path)).not.toContain('untouched')
  })
})

describe('an order id that is used twice', { timeout: 60_000 }, () => {
  it('is refused to another order, with its line, in a load and in the next', async () => {
    const mine = { orderId: 'mine' }
    const path = file('twice.jsonl', `${order(1, mine)}\n${order(2, mine)}\n${order(1, mine)}\n`)
    const first = await load(args(path, 'twice'))
    expect(first.exitCode, first.stderr).toBe(0)
    expect(first.sum).toMatchObject({
      orders: 1,
      load: { lines: 3, sent: 1, alreadyThere: 1, refused: 1, isComplete: true },
    })
    expect(first.stderr).toMatch(/twice\.jsonl:2: refused, order mine: .*another order .*its id/)
    const other = await load(args(file('again.jsonl', order(3, mine)), 'twice'))
    expect(other.sum).toMatchObject({ orders: 1, load: { sent: 0, refused: 1 } })
    expect(other.stderr).toContain('again.jsonl:1: refused, order mine: another order has its id')
    expect(other.exitCode).toBe(1)
    const same = await load(args(path, 'twice'))
    expect(same.sum).toMatchObject({ load: { sent: 0, alreadyThere: 2, refused: 1 } })
  })

  it('is known from a load over HTTP as well, in either format', async () => {
    const path = file('cdnow.txt', ' 00021 0002 19970101  3   63.34\n')
    const running = startMillrace(['run', '--port', '0', '--state-dir', at('over-http')])
    await running.waitFor(/http:\/\/127\.0\.0\.1:\d+/)
    const cdnow = args(path, 'over-http', '--format', 'cdnow')
    const first = await load(cdnow)
    running.process.kill('SIGTERM')
    await running.ended
    const again = await load(cdnow)
    expect(first.sum).toMatchObject({ orders: 1, load: { sent: 1, refused: 0 } })
    expect(again.sum).toMatchObject({ orders: 1, load: { alreadyThere: 1, refused: 0 } })
  })
})
