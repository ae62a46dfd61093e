/**
 * Goal: the house stays as house-style.md describes it, without anybody watching.
 *
 * Method: reads every file of the project as text, checks sizes, import directions, banned words,
 * dead files and READMEs, and runs the linter and the compiler over what text cannot tell.
 * A failure lists file and line.
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packages, roomOf, rooms } from './tidy/layers.ts'
import { importsOf, root, type SourceFile, sourceFiles } from './tidy/source-files.ts'

const code = sourceFiles(/\.(ts|mjs)$/)
const markdown = sourceFiles(/\.md$/)
const product = code.filter(({ path }) => /^(src|state|topologies)\//.test(path))

/** Lines that match, as `path:line: text`. */
const hits = (files: readonly SourceFile[], pattern: RegExp): readonly string[] =>
  files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
    ),
  )

describe('sizes', () => {
  it('keeps lines at 100 columns', () => {
    expect(hits(code, /^.{101,}$/u)).toEqual([])
  })

  it('keeps files at 600 lines', () => {
    const long = code.filter(({ lines }) => lines.length > 601)
    expect(long.map(({ path, lines }) => `${path}: ${lines.length} lines`)).toEqual([])
  })
})

describe('words', () => {
  const self = 'test/tidy.test.ts'
  const others = code.filter(({ path }) => path !== self)

  it('has no catch-all files', () => {
    const bad = /(^|\/|-)(utils?|helpers?|misc|common|stuff)(\/|\.|-)/
    expect(code.map(({ path }) => path).filter((path) => bad.test(path))).toEqual([])
  })

  it('has no barrels but the public ones', () => {
    const allowed = ['src/index.ts', 'src/testing/index.ts']
    const barrels = product.filter(
      ({ path }) => path.endsWith('/index.ts') && !allowed.includes(path),
    )
    expect(barrels.map(({ path }) => path)).toEqual([])
  })

  it('has no leftovers', () => {
    expect(hits(others, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([])
    expect(hits(product, /\bconsole\.(log|error|warn|info|debug)\(/)).toEqual([])
    expect(hits(others, /\b(it|test|describe)\.only\(|\bdebugger\b/)).toEqual([])
  })

  it('has no bare subscribe in operators: a throw in it would be lost', () => {
    const operators = product.filter(({ path }) => path.startsWith('src/operators/'))
    expect(hits(operators, /^(?!\s*(\*|\/\/)).*\.subscribe\(/)).toEqual([])
  })

  it('names files in kebab-case', () => {
    const bad = code.filter(({ path }) => !/^[a-z0-9/.-]+$/.test(path))
    expect(bad.map(({ path }) => path)).toEqual([])
  })
})

describe('import directions', () => {
  const edges = product.flatMap((file) => importsOf(file))

  it('follow the rooms', () => {
    const wrong = edges.filter(({ from, to }) => {
      const room = roomOf(from, rooms)
      if (!/^(src|state|topologies|test|bench|scripts)\//.test(to)) return false
      if (room === undefined) return true
      const isOwn = to === room || (room.endsWith('/') && to.startsWith(room))
      const allowed = rooms[room]!
      return !isOwn && !allowed.some((prefix) => to === prefix || to.startsWith(prefix))
    })
    expect(wrong.map(({ from, to, line }) => `${from}:${line} imports ${to}`)).toEqual([])
  })

  it('use only the packages of the room', () => {
    const wrong = edges.filter(({ from, to }) => {
      if (/^(src|state|topologies)\//.test(to) || to.startsWith('node:')) return false
      const room = roomOf(from, packages)
      return room !== undefined && !packages[room]!.some((name) => to.split('/')[0] === name)
    })
    expect(wrong.map(({ from, to, line }) => `${from}:${line} imports ${to}`)).toEqual([])
  })

  it('reach every file: nothing is dead', () => {
    const isEntry = (path: string): boolean =>
      /^(src\/index|src\/testing\/index|src\/cli\/main)\.ts$/.test(path)
      || /^(scripts|bench)\//.test(path)
      || /\.(test|test-d)\.ts$/.test(path)
      || /^(test\/report|test\/vectors\/run|vitest\.config)\.ts$/.test(path)
    const byPath = new Map(code.map((file) => [file.path, file]))
    const alive = new Set<string>()
    const visit = (path: string): void => {
      const file = byPath.get(path)
      if (file === undefined || alive.has(path)) return
      alive.add(path)
      for (const { to } of importsOf(file)) visit(to)
    }
    for (const { path } of code) if (isEntry(path)) visit(path)
    expect(code.map(({ path }) => path).filter((path) => !alive.has(path))).toEqual([])
  })
})

describe('linter', () => {
  it('finds nothing', () => {
    const args = [join(root, 'node_modules/oxlint/bin/oxlint'), '--deny-warnings', '-f', 'unix']
    const result = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect(result.stdout + result.stderr).not.toMatch(/\[Error/)
    expect(result.status).toBe(0)
  })
})

describe('markdown', () => {
  it('has one first-level heading per page', () => {
    const wrong = markdown.filter(({ text }) => {
      const withoutCode = text.replace(/^```[^]*?^```/gm, '')
      return (withoutCode.match(/^# /gm) ?? []).length !== 1
    })
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('has TypeScript that compiles', () => {
    const folder = join(root, 'tmp', 'snippets')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    let count = 0
    for (const { path, text } of markdown) {
      for (const match of text.matchAll(/^```ts(?: (\S+\.ts))?\n([^]*?)^```/gm)) {
        count += 1
        const line = text.slice(0, match.index).split('\n').length
        // the info string may name the file, for snippets that import one another
        const name = match[1] ?? `${path.replaceAll('/', '-')}-${line}.ts`
        writeFileSync(join(folder, name), `${match[2]}\nexport {}\n`)
      }
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: { noUnusedLocals: false },
        include: ['*.ts'],
      }),
    )
    if (count === 0) return
    const args = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder]
    const result = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect(result.stdout).toBe('')
    expect(result.status).toBe(0)
  })

  it('links to files that exist', () => {
    const paths = new Set([...code, ...markdown].map(({ path }) => path))
    const wrong = markdown.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map((match) => join(path, '..', match[1]!))
        .filter((target) => !paths.has(target) && !exists(target))
        .map((target) => `${path}: ${target}`),
    )
    expect(wrong).toEqual([])
  })
})

const exists = (path: string): boolean => {
  try {
    readFileSync(join(root, path))
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR'
  }
}
