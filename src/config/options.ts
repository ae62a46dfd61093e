/**
 * Every option of the command line, its environment and its file: one table.
 *
 * Types, defaults, bounds and help texts all come from here; `settings.ts` resolves values and
 * `src/cli` makes flags of it. A key is camelCase: `stateDir` is the flag `--state-dir`, the
 * variable `MILLRACE_STATE_DIR` and the key `stateDir` in `millrace.json`. The runtime's own
 * options (`src/runtime-config.ts`) are part of the table under their own names.
 */

import { type Static, type TSchema, Type } from 'typebox'
import { memoryBudgetDefaultBytes, memoryBudgetMinBytes } from '../../state/memory-budget.ts'
import { runtimeOptions } from '../runtime-config.ts'

/** How the text of a flag or variable becomes a value. */
export type OptionKind = 'text' | 'number' | 'duration' | 'size' | 'boolean'

const share = (what: string, byDefault: number) =>
  Type.Number({
    minimum: 0,
    maximum: 1,
    default: byDefault,
    description: `Share of ${what}, 0 to 1.`,
  })

const file = (description: string) =>
  Type.String({ minLength: 1, placeholder: 'file', description })

const schemas = {
  stateDir: Type.String({
    default: '.millrace',
    minLength: 1,
    placeholder: 'directory',
    description: 'Directory of the state and of the embedded broker; one process at a time.',
  }),
  port: Type.Integer({
    default: 4004,
    minimum: 0,
    maximum: 65_535,
    description: 'Port of the HTTP API on 127.0.0.1; 0 takes any free one.',
  }),
  url: Type.String({
    pattern: '^https?://[^/?#]+/?$',
    expected: 'an address such as http://localhost:4004, without a path',
    placeholder: 'http://host:port',
    description: 'Ask the instance at this address; on Kafka any replica answers for all.',
  }),
  output: Type.Union([Type.Literal('table'), Type.Literal('json')], {
    default: 'table',
    placeholder: 'table|json',
    description: 'How data is printed: for people, or as one JSON document.',
  }),
  logLevel: Type.Union(
    ['debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level)),
    {
      default: 'warn',
      placeholder: 'level',
      description: 'Lowest level of log lines on stderr: debug, info, warn, error or silent.',
    },
  ),
  stateMemoryBytes: Type.Integer({
    default: memoryBudgetDefaultBytes,
    minimum: memoryBudgetMinBytes({ hasBroker: false }),
    maximum: 2 ** 40,
    kind: 'size',
    flag: 'state-memory',
    description: 'Memory for all state: decoded rows, databases, logs of the embedded broker.',
  }),
  stateEngine: Type.Union([Type.Literal('rocksdb'), Type.Literal('lmdb')], {
    placeholder: 'rocksdb|lmdb',
    description:
      'What keeps state and broker on disk (default: what made the directory; else rocksdb, or '
      + 'lmdb where that has no binary).',
  }),
  topicNames: Type.String({
    minLength: 1,
    placeholder: 'ecom|domain|business|file',
    description:
      "Names of the shop's topics: a profile, or a JSON file with a name for each (default: those "
      + 'the state directory was begun with; else ecom).',
  }),
  acceptTopologyChange: Type.Boolean({
    default: false,
    description:
      'Drop state that the topology has no place for any more, for good; else it is refused.',
  }),
  fsync: Type.Boolean({
    default: false,
    description:
      'Wait for the disk at every commit, as lmdb does: survives a power cut, costs milliseconds.',
  }),
  forMs: Type.Integer({
    minimum: 1,
    maximum: 2_147_483_647,
    kind: 'duration',
    flag: 'for',
    description:
      'Stop by itself after this time, also while a start waits for Kafka or a registry.',
  }),
  drainMs: Type.Integer({
    default: 15_000,
    minimum: 0,
    maximum: 86_400_000,
    kind: 'duration',
    flag: 'drain',
    description: 'Longest wait for open orders when stopping.',
  }),
  rate: Type.Number({
    default: 20,
    minimum: 0.01,
    maximum: 100_000,
    description: 'Orders per second at most.',
  }),
  seed: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 4_294_967_295,
    description: 'Seed of generated orders and of the fake payment provider.',
  }),
  load: Type.Boolean({
    default: true,
    description: 'Generate orders.',
    negated: 'Do not generate orders.',
  }),
  stock: Type.Boolean({
    default: true,
    description: 'Stock what the file sells first.',
    negated: 'Do not stock what the file sells.',
  }),
  exit: Type.Boolean({
    default: false,
    description: 'Wait until every order is final, print the summary and end.',
  }),
  format: Type.Union([Type.Literal('json'), Type.Literal('cdnow')], {
    default: 'json',
    placeholder: 'json|cdnow',
    description: 'Format of the lines: bodies of POST /api/orders, or purchases of CDNOW.',
  }),
  document: Type.String({
    minLength: 1,
    placeholder: 'name',
    maxLength: 255,
    description:
      'Name of the input in the ids of its orders (default: name of the file; of a pipe, a hash '
      + 'of its content).',
  }),
  rejects: Type.String({
    minLength: 1,
    placeholder: 'file',
    description: 'Where malformed lines go (default FILE.rejects; of a pipe, stdin.rejects).',
  }),
  declineRate: share('card charges the fake provider declines', 0),
  shortRate: share('card charges the fake provider captures short', 0),
  timeoutRate: share('first provider calls that time out although they succeed', 0),
  carrierMode: Type.Union([Type.Literal('automatic'), Type.Literal('manual')], {
    default: 'automatic',
    placeholder: 'automatic|manual',
    description: 'Whether shipments move by themselves, or by PUT /api/shipments/{id}/status.',
  }),
  backorders: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'off',
    placeholder: 'on|off',
    description:
      'Whether a line that lacks stock waits for it, instead of its order being rejected.',
  }),
  backorderWaitMs: Type.Integer({
    default: 1_209_600_000,
    minimum: 1_000,
    maximum: 31_536_000_000,
    kind: 'duration',
    flag: 'backorder-wait',
    description: 'How long a line waits for stock at most; then it is cancelled and paid back.',
  }),
  carriers: file('JSON file of carriers, and rules for who takes what (shipments/README.md).'),
  transferDeadlineMs: Type.Integer({
    default: 900_000,
    minimum: 1_000,
    maximum: 2_592_000_000,
    kind: 'duration',
    flag: 'transfer-deadline',
    description: 'How long an order waits for a bank transfer.',
  }),
  payments: Type.Union([Type.Literal('fake'), Type.Literal('http')], {
    default: 'fake',
    placeholder: 'fake|http',
    description: 'Payment provider: the fake one, or the one at --payment-url.',
  }),
  paymentUrl: Type.String({
    pattern: '^https?://[^/?#@]+(/[^?#]*)?$',
    expected: 'a URL such as https://pay.example/v1, without user, query and fragment',
    placeholder: 'url',
    description: 'Where the payment provider is asked (docs/payments.md).',
  }),
  paymentUsername: Type.String({
    minLength: 1,
    placeholder: 'name',
    description: 'User name for --payment-url; without one the password is a bearer token.',
  }),
  paymentPassword: Type.String({
    minLength: 1,
    secret: true,
    description: 'Password or bearer token for --payment-url.',
  }),
  paymentPasswordFile: file(
    'File with the password or bearer token for --payment-url (or MILLRACE_PAYMENT_PASSWORD).',
  ),
  paymentCa: file('PEM file of the authorities that --payment-url is trusted by.'),
  paymentTimeoutMs: Type.Integer({
    default: 10_000,
    minimum: 100,
    maximum: 300_000,
    kind: 'duration',
    flag: 'payment-timeout',
    description: 'How long the payment provider may take for one answer.',
  }),
  paymentRate: Type.Number({
    minimum: 0.01,
    maximum: 100_000,
    description: 'Calls of the payment provider per second at most, of this instance.',
  }),
  bootstrap: Type.String({
    minLength: 1,
    placeholder: 'host:port,…',
    description: 'Kafka brokers instead of the embedded one.',
  }),
  connectTimeoutMs: Type.Integer({
    default: 60_000,
    minimum: 1,
    maximum: 2_147_483_647,
    kind: 'duration',
    flag: 'connect-timeout',
    description: 'How long to wait for a Kafka broker that answers, before giving up.',
  }),
  linkHost: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    placeholder: 'host',
    description:
      'Address of this machine for the other replicas, which then see its death at once.',
  }),
  instanceId: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    expected: '1 to 64 letters, digits, hyphens or underscores',
    placeholder: 'id',
    description:
      'Keep the place in the group under this id over a restart, within --session-timeout-ms; '
      + 'its own for each replica.',
  }),
  leaveOnStop: Type.Boolean({
    default: false,
    description: 'With --instance-id: give the tasks to the others when stopped, at once.',
  }),
  kafka: Type.Boolean({
    default: false,
    description: 'A real Kafka, started here by scripts/kafka.mjs (needs Java and Maven).',
  }),
  tls: Type.Boolean({
    default: false,
    description: 'Encrypt connections to Kafka; implied by --tls-ca and --tls-cert.',
  }),
  tlsCa: file('PEM file of the authorities to trust, instead of those of the system.'),
  tlsCert: file('PEM file of the client certificate, with --tls-key.'),
  tlsKey: file('PEM file of the key of the client certificate.'),
  sasl: Type.Union(
    [
      Type.Literal('plain'),
      Type.Literal('scram-sha-256'),
      Type.Literal('scram-sha-512'),
      Type.Literal('oauthbearer'),
    ],
    {
      placeholder: 'mechanism',
      description: 'How to log in to Kafka: plain, scram-sha-256, scram-sha-512, oauthbearer.',
    },
  ),
  saslUsername: Type.String({
    minLength: 1,
    placeholder: 'name',
    description: 'User name for --sasl.',
  }),
  saslPassword: Type.String({
    minLength: 1,
    secret: true,
    description: 'Password for --sasl, or the token of oauthbearer.',
  }),
  serialization: Type.Union([Type.Literal('json'), Type.Literal('avro')], {
    default: 'json',
    placeholder: 'json|avro',
    description: 'How messages are written; with a schema registry both are read.',
  }),
  schemaRegistry: Type.String({
    minLength: 1,
    placeholder: 'url,…',
    description: "Schema registry (Confluent's API) instead of the embedded broker's own.",
  }),
  schemaRegistryUsername: Type.String({
    minLength: 1,
    placeholder: 'name',
    description: 'User name for --schema-registry.',
  }),
  schemaRegistryPassword: Type.String({
    minLength: 1,
    secret: true,
    description: 'Password for --schema-registry, or a bearer token without a user name.',
  }),
  schemaRegistryCa: file('PEM file of the authorities that --schema-registry is trusted by.'),
  registerSchemas: Type.Boolean({
    default: false,
    description: 'Register at --schema-registry what is written and missing there.',
  }),
  recordHeaders: Type.Boolean({
    default: false,
    description:
      'Headers traceparent, service, version, timestamp on every record; always in Avro.',
  }),
  masterKey: Type.String({
    minLength: 1,
    secret: true,
    description: 'Master key of personal data: 32 bytes in base64 or hex.',
  }),
  masterKeyFile: file(
    'File with the master key of personal data, the same for all replicas (or '
      + 'MILLRACE_MASTER_KEY; on the embedded broker made in the state directory).',
  ),
  oldMasterKeyFile: file(
    'File with the master key before: opens what it wrapped, while the key is being changed.',
  ),
  erasure: Type.Boolean({
    default: true,
    description: 'Seal personal data, so that it can be erased.',
    negated: 'Write personal data in the clear: it can never be erased.',
  }),
  saslPasswordFile: file(
    'File with the password, or with the token of oauthbearer (or MILLRACE_SASL_PASSWORD).',
  ),
} satisfies Record<string, TSchema>

const runtimeSchemas = Object.fromEntries(
  Object.entries(runtimeOptions).map(([name, { default: byDefault, min, max, doc }]) => [
    name,
    Type.Number({ default: byDefault, minimum: min, maximum: max, description: doc }),
  ]),
)

export type OptionName = keyof typeof schemas
export type RuntimeOption = keyof typeof runtimeOptions

/** Values of options; those without a default may be missing. */
export type OptionValues = {
  readonly [Name in OptionName]: Static<(typeof schemas)[Name]>
}

export interface OptionSpec {
  readonly name: string
  readonly flag: string
  readonly env: string
  readonly kind: OptionKind
  readonly schema: TSchema
  readonly description: string
  /** What help calls the value: `<number>`. */
  readonly placeholder: string
  /** What `--no-…` does, of a boolean that is true by default. */
  readonly negated: string | undefined
  readonly default: unknown
  /** Not a flag: a process list shows those. Variable and file only. */
  readonly isSecret: boolean
}

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const specOf = (name: string, schema: TSchema): OptionSpec => {
  const fields = schema as TSchema & Record<string, unknown>
  const flag = String(fields['flag'] ?? kebab(name))
  const kind = kindOf(fields)
  return {
    name,
    flag,
    env: `MILLRACE_${flag.replaceAll('-', '_').toUpperCase()}`,
    kind,
    schema,
    description: String(fields['description']),
    placeholder: String(fields['placeholder'] ?? kind),
    negated: fields['negated'] as string | undefined,
    default: fields['default'],
    isSecret: fields['secret'] === true,
  }
}

const kindOf = (fields: Record<string, unknown>): OptionKind => {
  if (fields['kind'] === 'duration' || fields['kind'] === 'size') return fields['kind']
  if (fields['type'] === 'boolean') return 'boolean'
  return fields['type'] === 'integer' || fields['type'] === 'number' ? 'number' : 'text'
}

/** Every option by its name, in the order help shows them. */
export const optionSpecs: ReadonlyMap<string, OptionSpec> = new Map(
  Object.entries({ ...schemas, ...runtimeSchemas }).map(([name, schema]) => [
    name,
    specOf(name, schema),
  ]),
)

export const runtimeOptionNames = Object.keys(runtimeOptions) as readonly RuntimeOption[]
