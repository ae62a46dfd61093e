/**
 * Goal: a mistake at the command line ends with 2 and the nearest known word, never with a guess.
 */

import { spawnSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Command } from 'commander'
import { addConfigFlags, settingsOf } from '../../src/cli/config-flags.ts'
import { millrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const stateDir = join(folder.path, 'unused')

describe('usage', { timeout: 60_000 }, () => {
  it.each([
    [['dev', '--prot', '1'], "unknown option '--prot'; the nearest known one is '--port'"],
    [['dev', '--state-dri=x'], "the nearest known one is '--state-dir'"],
    [['lod', 'file'], "unknown command 'lod'; the nearest known one is 'load'"],
    [['order', 'shwo', '1'], "unknown command 'shwo'; the nearest known one is 'show'"],
    [['topology', 'grph'], "unknown command 'grph'; the nearest known one is 'graph'"],
    [['topology', 'graph', 'shp'], "unknown topology 'shp'; the nearest known one is 'shop'"],
    [['topology', 'graph', '-o', 'svg'], 'Allowed choices are text, json, mermaid'],
    [['run', 'shp'], "unknown application 'shp'; the nearest known one is 'shop'"],
    [['dev', '--for', '20'], '--for: "20" is not a duration such as 500ms, 20s'],
    [['dev', '--rate', 'fast'], '--rate: "fast" is not a number'],
    [['dev', 'extra'], 'too many arguments'],
    [['load'], "missing required argument 'file'"],
    [['query', 'orders', 'gett', 'x'], "unknown action 'gett'; the nearest known one is 'get'"],
    [['query', 'orders', 'range', '--limit', '0'], '--limit: "0" is not a whole number'],
    [[], 'Usage: millrace'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await millrace(args)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(exitCode).toBe(2)
  })

  it('refuses unknown keys of millrace.json and unknown variables', async () => {
    writeFileSync(join(folder.path, 'millrace.json'), '{"stateDri": "x"}')
    const inFile = await millrace(['dev'], { cwd: folder.path })
    expect(inFile.stderr).toContain("unknown key 'stateDri'; the nearest known one is 'stateDir'")
    expect(inFile.exitCode).toBe(2)
    const inEnv = await millrace(['dev'], { env: { MILLRACE_RATTE: '1' } })
    expect(inEnv.stderr).toContain('the nearest known one is MILLRACE_RATE')
    expect(inEnv.exitCode).toBe(2)
  })

  it('prints help and version on stdout', async () => {
    const help = await millrace(['dev', '--help'])
    expect([help.exitCode, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('--for <duration>')
    expect(help.stdout).toContain('(default 0.05)')
    const version = await millrace(['--version'])
    expect([version.exitCode, version.stdout.trim()]).toEqual([0, '0.1.0'])
  })

  it('says each thing once in the help of every command', async () => {
    const commands =
      ',dev,run,load,order,order show,query,topology,topology describe,topology graph'
        .split(',')
        .map((words) => words.split(' ').filter((word) => word !== ''))
    for (const command of commands) {
      const { stdout } = await millrace([...command, '--help'])
      expect(stdout).not.toMatch(/Do not:|display help|default:? "|<text>/)
      // an entry is the line of its flag and those below that begin further right
      for (const entry of stdout.match(/^ {2}-.*(\n {10,}.*)*/gm) ?? []) {
        expect(entry.match(/default/g)?.length ?? 0, entry).toBeLessThanOrEqual(1)
      }
      expect(stdout.match(/-h, --help +Print help\./g)).toHaveLength(1)
    }
    const { stdout } = await millrace(['dev', '--help'])
    expect(stdout).toMatch(/--no-load +Do not generate orders\./)
    expect(stdout).toContain('20s')
  })

  it('takes --no-load from a variable too', () => {
    const command = addConfigFlags(new Command('dev'), { options: ['load'] })
    command.parse([], { from: 'user' })
    process.env['MILLRACE_LOAD'] = 'false'
    try {
      expect(settingsOf(command, { options: ['load'] }).load).toBe(false)
    } finally {
      delete process.env['MILLRACE_LOAD']
    }
  })

  it('says what is missing', async () => {
    const noState = await millrace(['order', 'show', '1', '--state-dir', stateDir])
    expect([noState.exitCode, noState.stderr]).toEqual([
      1,
      `millrace: there is no state in ${stateDir}; name another with --state-dir\n`,
    ])
    const noFile = await millrace(['load', join(folder.path, 'none'), '--state-dir', stateDir])
    expect(noFile.exitCode).toBe(1)
    expect(noFile.stderr).toContain('cannot read')
  })

  it('describes the shop in three forms', async () => {
    const text = await millrace(['topology', 'describe', 'shop'])
    expect(text.stdout).toContain('Sub-topology: 0')
    const json = await millrace(['topology', 'describe', '-o', 'json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'shop' })
    const graph = await millrace(['topology', 'graph', 'shop'])
    expect(graph.stdout).toMatch(/^flowchart /)
    expect([text.exitCode, json.exitCode, graph.exitCode]).toEqual([0, 0, 0])
  })

  it('runs through a link to bin/millrace, under the id of its process', () => {
    const link = join(folder.path, 'millrace')
    symlinkSync(join(import.meta.dirname, '..', '..', 'bin', 'millrace'), link)
    const result = spawnSync(link, ['--version'], { encoding: 'utf8' })
    expect([result.status, result.stdout.trim()]).toEqual([0, '0.1.0'])
  })
})
