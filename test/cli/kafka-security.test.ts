/** TLS and SASL settings: what fits together, where secrets come from, what is refused. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuthenticationError } from '@platformatic/kafka'
import { expect, onTestFinished, test } from 'vitest'
import { type FlagValues, resolveSettings } from '../../src/config/settings.ts'
import { clusterOptions, sendableOptions } from '../../src/broker/kafka/kafka-broker-options.ts'
import { connectionErrorOf } from '../../src/broker/kafka/errors.ts'
import { systemClock } from '../../src/clock.ts'
import { kafkaSecurityOf } from '../../src/cli/kafka-security.ts'

const securityOf = (flags: FlagValues, env: Record<string, string> = {}) =>
  kafkaSecurityOf(resolveSettings({ flags, env }))

const fileWith = (content: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-security-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'file')
  writeFileSync(path, content)
  return path
}

test('plain text without login is the default', () => {
  expect(securityOf({})).toEqual({})
})

test('--tls trusts the system, --tls-ca a file', () => {
  expect(securityOf({ tls: true })).toEqual({ tls: {} })
  expect(securityOf({ tlsCa: fileWith('PEM') })).toEqual({ tls: { ca: Buffer.from('PEM') } })
})

test('a client certificate needs its key', () => {
  expect(() => securityOf({ tlsCert: fileWith('PEM') })).toThrow('--tls-key')
})

test('a password comes from the variable, and is no flag', () => {
  const flags = { sasl: 'scram-sha-512', saslUsername: 'shop' }
  const { sasl } = securityOf(flags, { MILLRACE_SASL_PASSWORD: 'secret' })
  expect(sasl).toEqual({ mechanism: 'SCRAM-SHA-512', username: 'shop', password: 'secret' })
})

test('a password or token file is read again each time', () => {
  const saslPasswordFile = fileWith('first\n')
  const security = securityOf({ sasl: 'oauthbearer', saslPasswordFile })
  const options = { bootstrap: 'localhost:9092', ...security }
  expect(sendableOptions(options)).toEqual(options) // the membership thread reads it too
  const token = clusterOptions(options, systemClock).sasl!.token as () => string
  expect(token()).toBe('first')
  writeFileSync(saslPasswordFile, 'renewed\n')
  expect(token()).toBe('renewed')
})

test.each([
  [{ sasl: 'plain', saslUsername: 'shop' }, 'MILLRACE_SASL_PASSWORD'],
  [{ sasl: 'plain' }, '--sasl-username'],
  [{ saslUsername: 'shop' }, '--sasl is missing'],
  [{ sasl: 'gssapi' }, 'one of plain, scram-sha-256'],
  [{ tlsCa: '/nowhere/ca.pem' }, 'cannot read /nowhere/ca.pem'],
] as const)('%j is refused', (flags, message) => {
  expect(() => securityOf(flags)).toThrow(message)
})

test('a mechanism that the cluster does not offer is told from refused credentials', () => {
  const unsupported = new AuthenticationError('Cannot find a suitable SASL mechanism.')
  const { code, message } = connectionErrorOf(unsupported, 'metadata')
  expect([code, message]).toEqual([
    'BROKER_NOT_AUTHORIZED',
    'metadata: the broker does not offer this SASL mechanism; use one of its '
      + 'sasl.enabled.mechanisms',
  ])
  const refused = connectionErrorOf(new AuthenticationError('Authentication failed'), 'metadata')
  expect(refused.message).toContain('refused the credentials: Authentication failed')
})
