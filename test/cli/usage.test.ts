/**
 * Goal: a mistake at the command line ends with 2 and the nearest known word, never with a guess.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Command } from 'commander'
import { addConfigFlags, kafkaOptions, settingsOf } from '../../src/cli/config-flags.ts'
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
    [['customer', 'erase', 'ann'], '--yes is missing: '],
    [['topology', 'grph'], "unknown command 'grph'; the nearest known one is 'graph'"],
    [['topology', 'graph', 'shp'], "unknown topology 'shp'; the nearest known one is 'shop'"],
    [['topology', 'graph', '-o', 'svg'], '--output: "svg" is not one of text, json, mermaid'],
    [['run', 'shp'], "unknown application 'shp'; the nearest known one is 'shop'"],
    [['topics', 'plna'], "unknown command 'plna'; the nearest known one is 'plan'"],
    [['topics', 'plan', '--bootstrp', 'h:1'], "the nearest known one is '--bootstrap'"],
    [['topics', 'verify', 'shp'], "unknown application 'shp'; the nearest known one is 'shop'"],
    [['topics', 'apply', '--tls'], '--tls is for Kafka: name its brokers with --bootstrap'],
    [['dev', '--for', '20'], '--for: "20" is not a duration such as 500ms, 20s'],
    [
      ['dev', '--state-memory', '40MiB'],
      '40MiB is too little: with the embedded broker at least 48MiB',
    ],
    [['run', '--state-memory', '96'], '--state-memory: "96" is not a size such as 64MiB'],
    [['dev', '--state-engine', 'rockdb'], "is not one of rocksdb, lmdb; the nearest is 'rocksdb'"],
    [['dev', '--rate', 'fast'], '--rate: "fast" is not a number'],
    [['dev', 'extra'], 'too many arguments'],
    [['load'], "missing required argument 'file'"],
    [['query', 'orders', 'gett', 'x'], "unknown action 'gett'; the nearest known one is 'get'"],
    [['query', 'orders', 'range', '--limit', '0'], '--limit: "0" is not a whole number'],
    [['query', 'ordrs', 'range'], "unknown store 'ordrs'; the nearest known one is 'orders'"],
    [['run', '--master-key-file', 'nowhere'], '--master-key-file: cannot read nowhere'],
    [['run', '--master-key-file', 'package.json'], 'package.json holds no master key: that is 32'],
    [['query', 'orders', 'range', '--cursor', ''], '--cursor is empty: leave it out'],
    [['dlq', 'list', '--cursor', ''], '--cursor is empty: leave it out'],
    [['query', 'orders', 'range', '--url', 'nonsense'], 'an address such as http://localhost:4004'],
    [['help', 'lod'], "unknown command 'lod'; the nearest known one is 'load'"],
    [['order', 'help', 'nope'], "unknown command 'nope'; the nearest known one is 'show'"],
    [['run', '--tls'], '--tls is for Kafka: name its brokers with --bootstrap'],
    [['run', '--sasl', 'plain'], '--sasl is for Kafka: name'],
    [['run', '--instance-id', 'a'], '--instance-id is for Kafka: name'],
    [['run', '--bootstrap', 'h:1', '--instance-id', 'a b'], '--instance-id: "a b"'],
    [['run', '--bootstrap', 'h:1', '--leave-on-stop'], 'name one with --instance-id'],
    [['run', '--link-host', 'h'], '--link-host is for Kafka: name'],
    [['load', 'none', '--connect-timeout', '1s'], '--connect-timeout is for Kafka: name'],
    [['run', '--bootstrap', ':9092'], '--bootstrap: ":9092" is not host:port'],
    [['run', '--bootstrap', 'a:99999'], '--bootstrap: "a:99999" is not host:port'],
    [['load', 'none', '--bootstrap', 'b:1,a:99999'], '"a:99999" is not host:port'],
    [[], 'Usage: millrace'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await millrace(args, {
      env: { MILLRACE_STATE_DIR: stateDir },
    })
    expect(stderr).toContain(message)
    expect(existsSync(stateDir)).toBe(false)
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

  it('says each thing once in the help of every command', { timeout: 180_000 }, async () => {
    const commands =
      ',dev,run,load,order,order show,query,topology,topology describe,topology graph,topology diff'
        .concat(',topics,topics plan,topics apply,topics verify')
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

  it.each([
    ['order', 'show', '1'],
    ['query', 'orders', 'range'],
  ])('says whose the state of a stopped Kafka replica is: %s %s %s', async (...args) => {
    const replica = join(folder.path, 'replica')
    mkdirSync(join(replica, 'state'), { recursive: true })
    writeFileSync(join(replica, 'instance-id'), 'a\n')
    writeFileSync(join(replica, 'state', 'CURRENT'), '')
    const { exitCode, stderr } = await millrace([...args, '--state-dir', replica])
    expect([exitCode, stderr]).toEqual([
      1,
      `millrace: the state in ${replica} belongs to a replica on Kafka and can be read while `
        + 'that runs; start it with millrace run --bootstrap, or ask another replica '
        + 'with --url\n',
    ])
  })

  it('takes Kafka settings without brokers from variables, meant for all commands', () => {
    const flags = { options: [...kafkaOptions] }
    const command = addConfigFlags(new Command('run'), flags)
    command.parse([], { from: 'user' })
    process.env['MILLRACE_TLS'] = 'true'
    try {
      expect(settingsOf(command, flags).tls).toBe(true)
    } finally {
      delete process.env['MILLRACE_TLS']
    }
  })

  it('has help of the script for Kafka', () => {
    const script = join(import.meta.dirname, '..', '..', 'scripts', 'kafka.mjs')
    for (const args of [['--help'], ['-h'], ['start', '--help']]) {
      const help = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
      expect([help.status, help.stderr]).toEqual([0, ''])
      expect(help.stdout).toMatch(/^usage: node scripts\/kafka\.mjs/)
    }
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
