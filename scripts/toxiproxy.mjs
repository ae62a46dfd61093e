/**
 * `node scripts/toxiproxy.mjs`: Toxiproxy for the fault tests, built from source into the cache.
 *
 * Plain Node, no dependencies; prints `{"server": PATH}`. 1. Go fetches the module, whose checksum
 * must be the one written here; Go's checksum database vouches for what it depends on. 2. It is
 * built once per version, and appears in the cache (that of `kafka.mjs`) whole or not at all.
 * 3. Without Go, or without a way to its proxy, the exit status is 1 and stderr says why.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory, MissingToolError } from './kafka/jars.mjs'

const module = 'github.com/Shopify/toxiproxy/v2'
const version = 'v2.5.0'
const checksum = 'h1:i4LPT+qrSlKNtQf5QliVjdP08GyAH8+BUIc9gT0eahc='
const buildMaxMs = 240_000

const server = () => {
  const path = join(cacheDirectory(), `toxiproxy-${version}`)
  if (existsSync(path)) return path
  checkSource()
  mkdirSync(cacheDirectory(), { recursive: true })
  const work = mkdtempSync(join(cacheDirectory(), 'build-'))
  try {
    process.stderr.write(`toxiproxy: building ${module}@${version} (once)\n`)
    go(['install', `${module}/cmd/server@${version}`], { GOBIN: work })
    renameSync(join(work, 'server'), path)
    return path
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const checkSource = () => {
  const { Sum: found } = JSON.parse(go(['mod', 'download', '-json', `${module}@${version}`]))
  if (found === checksum) return
  throw new MissingToolError(`${module}@${version} has checksum ${found}, expected ${checksum}`)
}

const go = (args, env = {}) => {
  const result = spawnSync('go', args, {
    encoding: 'utf8',
    timeout: buildMaxMs,
    env: { ...process.env, ...env },
  })
  if (result.error?.code === 'ENOENT') {
    throw new MissingToolError(
      'Toxiproxy is built with Go, and there is no go. Install it (Debian: apt-get install golang)',
    )
  }
  if (result.status === 0) return result.stdout
  const output = `${result.error?.message ?? ''}${result.stdout}${result.stderr}`.trim()
  throw new MissingToolError(`go ${args.join(' ')} failed:\n${output}`)
}

try {
  process.stdout.write(`${JSON.stringify({ server: server() })}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof MissingToolError ? error.message : error.stack}\n`)
  process.exitCode = 1
}
