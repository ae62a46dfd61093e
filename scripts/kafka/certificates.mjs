/**
 * A certificate authority and a broker's certificate for localhost, made by openssl as PEM.
 *
 * Called by `cluster.mjs` for `--secure`. Made once per cluster directory; for tests only: the
 * keys lie beside them.
 */

import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MissingToolError } from './jars.mjs'

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const days = ['-days', '3650']
const extensions = `subjectAltName=DNS:localhost,IP:127.0.0.1
extendedKeyUsage=serverAuth,clientAuth
`

/** @returns `{ ca, keystore }`: paths of the authority, and of key and certificate in one file */
export const makeCertificates = (directory) => {
  const at = (name) => join(directory, name)
  const paths = { ca: at('ca.pem'), keystore: at('broker.pem') }
  if (existsSync(paths.keystore)) return paths
  mkdirSync(directory, { recursive: true })
  openssl(directory, [
    'req',
    '-x509',
    ...curve,
    ...days,
    '-subj',
    '/CN=dev-ca',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  ])
  openssl(directory, [
    'req',
    ...curve,
    '-subj',
    '/CN=localhost',
    '-keyout',
    'broker.key',
    '-out',
    'broker.csr',
  ])
  writeFileSync(at('ext.cnf'), extensions)
  openssl(directory, [
    'x509',
    '-req',
    '-in',
    'broker.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    ...days,
    '-extfile',
    'ext.cnf',
    '-out',
    'broker.crt',
  ])
  const parts = ['broker.key', 'broker.crt', 'ca.pem'].map((name) => readFileSync(at(name), 'utf8'))
  writeFileSync(paths.keystore, parts.join(''))
  for (const name of ['ca.key', 'broker.key', 'broker.pem']) chmodSync(at(name), 0o600)
  return paths
}

const openssl = (cwd, args) => {
  try {
    execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    throw new MissingToolError('--secure needs openssl (Debian: apt-get install openssl)')
  }
}
