/**
 * `server.properties` of each node of a test cluster: KRaft, one process is broker and controller.
 *
 * Called by `cluster.mjs`. 1. Time-outs are short, so that fail-over tests are. 2. Nothing is
 * created by asking for it. 3. With `secure` everything but the loopback is as in production:
 * TLS, SCRAM-SHA-512, and an authorizer that refuses who has no rights.
 */

import { join } from 'node:path'

/** Of the secured cluster: who may do everything. */
export const admin = { username: 'admin', password: 'admin-secret' }
/** Of the secured cluster: who may do nothing until ACLs are given. */
export const plainUser = { username: 'app', password: 'app-secret' }

/**
 * @param cluster  `{ nodes: [{ id, port, controllerPort, directory, proxied? }], secure,
 *                 certificates }`
 * @param node  one of them
 */
export const serverProperties = (cluster, node) => {
  const { nodes, secure } = cluster
  const { proxied } = node
  const replicas = Math.min(3, nodes.length)
  const isrMin = nodes.length > 1 ? 2 : 1
  const protocol = secure ? 'SASL_SSL' : 'PLAINTEXT'
  const host = secure ? 'localhost' : '127.0.0.1'
  const voters = nodes.map(({ id, controllerPort }) => `${id}@${host}:${controllerPort}`)
  return text({
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'broker.rack': `rack-${node.id}`,
    'controller.quorum.voters': voters.join(','),
    listeners: [
      `${protocol}://127.0.0.1:${node.port}`,
      ...(proxied ? [`PROXIED://127.0.0.1:${proxied.port}`] : []),
      `CONTROLLER://127.0.0.1:${node.controllerPort}`,
    ].join(','),
    'advertised.listeners': [
      `${protocol}://${host}:${node.port}`,
      // whoever comes through the proxy is sent back to it
      ...(proxied ? [`PROXIED://127.0.0.1:${proxied.proxyPort}`] : []),
    ].join(','),
    ...(proxied ? faultProperties : {}),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': protocol,
    'log.dirs': join(node.directory, 'data'),
    // without it a small heap dies in the cleaner
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'auto.create.topics.enable': false,
    // tests write records with old timestamps: they must not expire while they are read
    'log.retention.ms': -1,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1_000,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'group.streams.min.session.timeout.ms': 1_000,
    'group.streams.session.timeout.ms': 6_000,
    'group.streams.min.heartbeat.interval.ms': 100,
    'group.streams.heartbeat.interval.ms': 500,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.num.partitions': 5,
    'default.replication.factor': replicas,
    'min.insync.replicas': isrMin,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': isrMin,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': isrMin,
    ...(secure ? secureProperties(cluster.certificates) : {}),
  })
}

/** Proxied clusters are there for faults: the death of a broker is noticed soon. */
const faultProperties = {
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
}

const secureProperties = (certificates) => {
  const { username, password } = admin
  const login = `required username="${username}" password="${password}"`
  const module = 'org.apache.kafka.common.security'
  const scram = `${module}.scram.ScramLoginModule ${login};`
  const plain = `${module}.plain.PlainLoginModule ${login} user_${username}="${password}";`
  return {
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:SASL_SSL',
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512,PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': plain,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificates.keystore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certificates.ca,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${username}`,
  }
}

const text = (entries) =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
