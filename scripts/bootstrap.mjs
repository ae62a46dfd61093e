/**
 * Brings the project's own Node 24 and its packages, with whatever Node and npm started us.
 *
 * Called by `scripts/run.mjs` for every npm script and for `bin/millrace`. Plain Node 20, no
 * dependencies.
 * 1. Nothing is installed when `node_modules` belongs to this lockfile and this platform.
 * 2. The installed tree is that of the lockfile (`npm ci`), whatever npm's own settings are.
 * 3. npm 12 runs no install scripts: then Node's binary is put in place by its own script, here.
 * 4. Progress goes to stderr: stdout belongs to the command.
 */

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))

const modules = join(projectRoot, 'node_modules')
const stampFile = join(modules, '.bootstrap-stamp')
const nodeBinary = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** npm settings that say where packages come from; all others could change what is installed. */
const keptNpmSettings = ['registry', 'userconfig', 'globalconfig', 'cache', 'cafile']

/** Makes sure that Node 24 and the packages are there; ends the process with 1 if it cannot. */
export const bootstrap = () => {
  const stamp = wantedStamp()
  if (!existsSync(nodeBinary) || readStamp() !== stamp) {
    process.stderr.write('millrace: installing packages (once)\n')
    install()
    if (!existsSync(nodeBinary)) installNodeBinary()
  }
  // Written even if equal: `bin/millrace` compares its time with that of the lockfile.
  writeFileSync(stampFile, stamp)
}

/**
 * Runs a script on the project's Node and ends this process the way the child ended.
 *
 * Signals are passed on, so that `kill` reaches the child. A terminal sends Ctrl-C to both: the
 * child takes two of them within half a second for one. When npm, which started us, is killed, the
 * child is told to stop; when we are, a linked child sees its channel close.
 */
export const runOnProjectNode = (args, { isLinked = false } = {}) => {
  const stdio = ['inherit', 'inherit', 'inherit', ...(isLinked ? ['ipc'] : [])]
  const child = spawn(nodeBinary, args, { stdio, env: childEnvironment() })
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(() => child.kill('SIGTERM'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`millrace: cannot start ${nodeBinary}: ${error.message}\n`)
      resolve(1)
    })
    child.on('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]))
  })
}

/** A process whose parent died gets another one. */
const whenOrphaned = (act) => {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    act()
  }, 500)
  timer.unref()
}

const wantedStamp = () => {
  const hash = createHash('sha256')
  hash.update(readFileSync(join(projectRoot, 'package-lock.json')))
  hash.update(`\n${process.platform} ${process.arch}`)
  return hash.digest('hex')
}

const readStamp = () => {
  try {
    return readFileSync(stampFile, 'utf8')
  } catch {
    return undefined
  }
}

const install = () => {
  const args = ['ci', '--no-audit', '--no-fund', '--engine-strict=false']
  const npm = process.env.npm_execpath
  const known = npm !== undefined && /npm-cli\.c?js$/.test(npm)
  const command = known ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const result = spawnSync(command, known ? [npm, ...args] : args, {
    cwd: projectRoot,
    env: npmEnvironment(),
    stdio: ['ignore', 2, 2],
    shell: !known && process.platform === 'win32',
  })
  if (result.status === 0) return
  const reason = result.error === undefined ? `status ${result.status}` : result.error.message
  process.stderr.write(`millrace: npm ci failed (${reason}); see its messages above\n`)
  process.exit(1)
}

/** What the `node` package's own install script does. */
const installNodeBinary = () => {
  const result = spawnSync(process.execPath, ['installArchSpecificPackage'], {
    cwd: join(modules, 'node'),
    env: npmEnvironment(),
    stdio: ['ignore', 2, 2],
  })
  if (result.status === 0 && existsSync(nodeBinary)) return
  process.stderr.write(
    `millrace: could not install Node 24 for ${process.platform} ${process.arch}\n`,
  )
  process.exit(1)
}

const npmEnvironment = () => {
  const env = {}
  for (const [name, value] of Object.entries(process.env)) {
    const lower = name.toLowerCase()
    if (lower.startsWith('npm_package_') || lower.startsWith('npm_lifecycle_')) continue
    const setting = /^npm_config_(.*)$/.exec(lower)?.[1]
    if (setting === undefined || keptNpmSettings.includes(setting)) env[name] = value
  }
  return env
}

const childEnvironment = () => {
  const bins = [dirname(nodeBinary), join(modules, '.bin')]
  const path = process.env.PATH ?? ''
  return {
    // halves the time until a command answers
    NODE_COMPILE_CACHE: join(modules, '.cache', 'node'),
    // large buffers go back to the system when they are free; see bin/millrace
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: '131072',
    MALLOC_TRIM_THRESHOLD_: '1048576',
    ...process.env,
    PATH: [...bins, ...path.split(delimiter)].join(delimiter),
  }
}
