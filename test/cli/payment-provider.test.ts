/** Payment settings: what fits together, where secrets come from, what is refused. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { Command } from 'commander'
import { addConfigFlags, instanceOptions, settingsOf } from '../../src/cli/config-flags.ts'
import { openPaymentProvider, type PaymentProvider } from '../../src/cli/payment-provider.ts'
import { type FlagValues, resolveSettings } from '../../src/config/settings.ts'
import { silentLogger } from '../../src/logger.ts'
import type { GatewayAnswer } from '../../topologies/shop/gateway/payment-gateway.ts'
import { ProviderServer } from '../shop/provider-server.ts'
import { temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const fileWith = (content: string): string => {
  const path = join(folder.path, 'secret')
  writeFileSync(path, content)
  return path
}

const open = (
  flags: FlagValues,
  more: { env?: Record<string, string>; file?: unknown } = {},
): PaymentProvider => {
  const settings = resolveSettings({ flags, env: {}, ...more })
  const provider = openPaymentProvider(settings, silentLogger)
  onTestFinished(() => provider.close())
  return provider
}

const pay = (provider: PaymentProvider, paymentId = 'p-1'): Promise<GatewayAnswer> =>
  provider.gateway(
    { kind: 'charge', paymentId, orderId: 'o', amountMinor: 5, currency: 'EUR', method: 'card' },
    { idempotencyKey: paymentId, attempt: 1, signal: new AbortController().signal },
  )

const serve = async (): Promise<ProviderServer> => {
  const server = new ProviderServer()
  await server.open()
  onTestFinished(() => server.close())
  return server
}

const headerOf = (server: ProviderServer): string | undefined => server.asked.at(-1)?.authorization

test('the fake provider is the default, and has no breaker', async () => {
  const provider = open({ declineRate: '1' })
  expect(await pay(provider)).toEqual({ kind: 'declined', reason: 'card-declined' })
  expect(provider.breakerState).toBeUndefined()
})

test('a provider of one’s own is named by flags, variables or the file', async () => {
  const server = await serve()
  const provider = open({ payments: 'http', paymentUrl: `${server.url}/` })
  expect(await pay(provider)).toMatchObject({ kind: 'captured', capturedMinor: 5 })
  expect([headerOf(server), provider.breakerState?.()]).toEqual([undefined, 'closed'])
  const file = { payments: 'http', paymentUrl: server.url, paymentPassword: 'a token' }
  await pay(open({}, { file }))
  expect(headerOf(server)).toBe('Bearer a token')
  const env = { MILLRACE_PAYMENT_USERNAME: 'shop', MILLRACE_PAYMENT_PASSWORD: 'pass' }
  await pay(open({ payments: 'http', paymentUrl: server.url }, { env }))
  expect(headerOf(server)).toBe(`Basic ${Buffer.from('shop:pass').toString('base64')}`)
})

test('a password file is read again for every request', async () => {
  const server = await serve()
  const paymentPasswordFile = fileWith('first\n')
  const provider = open({ payments: 'http', paymentUrl: server.url, paymentPasswordFile })
  await pay(provider)
  expect(headerOf(server)).toBe('Bearer first')
  fileWith('second\n')
  await pay(provider, 'p-2')
  expect(headerOf(server)).toBe('Bearer second')
})

test('the time-out of the effect leaves room for a question and a request', () => {
  const { calls } = open({ payments: 'http', paymentUrl: 'http://h', paymentTimeoutMs: '2s' })
  expect(calls.timeoutMs).toBeGreaterThan(4_000)
})

test('what is half there, or a secret in the wrong place, is refused', () => {
  const url = { payments: 'http', paymentUrl: 'http://h' }
  expect(() => open({ payments: 'http' })).toThrow('--payment-url')
  expect(() => open({ ...url, paymentUsername: 'me' })).toThrow('MILLRACE_PAYMENT_PASSWORD')
  expect(() => open({ ...url, paymentPasswordFile: '/none' })).toThrow('--payment-password-file')
  expect(() => open({ ...url, paymentCa: '/none' })).toThrow('--payment-ca: cannot read /none')
  for (const paymentUrl of ['h', 'ftp://h', 'http://me:secret@h', 'http://h/?a=b']) {
    expect(() => open({ payments: 'http', paymentUrl })).toThrow('--payment-url')
  }
})

test('flags of a provider that is not asked are refused, and the password is no flag', () => {
  const flags = { options: instanceOptions }
  const parse = (args: readonly string[]): unknown => {
    const command = addConfigFlags(new Command('run').exitOverride(), flags)
    command.configureOutput({ writeErr: () => {} }).parse(args, { from: 'user' })
    return settingsOf(command, flags)
  }
  expect(() => parse(['--payment-rate', '5'])).toThrow('add --payments http')
  expect(() => parse(['--payments', 'http', '--payment-password', 'x'])).toThrow('unknown option')
  expect(parse(['--payments', 'http', '--payment-rate', '5'])).toMatchObject({ paymentRate: 5 })
})
