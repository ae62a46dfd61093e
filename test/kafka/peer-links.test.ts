/**
 * Goal: a death is seen at once, and nothing else is taken for one. Method: links over real
 * sockets; peers of our own making that refuse, freeze, or are somebody else by now.
 */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PeerLinks } from '../../src/broker/kafka/peer-links.ts'
import type { GroupPeer } from '../../src/broker/port.ts'
import { codeOf } from '../contract/broker/probe.ts'

const host = '127.0.0.1'

const open = async (memberId: string): Promise<{ links: PeerLinks; dead: GroupPeer[] }> => {
  const dead: GroupPeer[] = []
  const incarnation = `${memberId}-1`
  const links = await PeerLinks.open({ host, incarnation, onDead: (peer) => dead.push(peer) })
  links.answerTo(memberId)
  onTestFinished(() => links.close())
  return { links, dead }
}

const peerOf = (memberId: string, link: string): GroupPeer => ({
  memberId,
  instanceId: memberId,
  incarnation: `${memberId}-1`,
  link,
})

const eventually = (assertion: () => void): Promise<void> =>
  vi.waitFor(assertion, { timeout: 10_000, interval: 10 })

/** A peer that does what `meet` says with each visitor; port 0 takes a free one. */
const madeUp = async (meet: (socket: Socket, visit: number) => void, port = 0) => {
  const sockets = new Set<Socket>()
  let visits = 0
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    visits += 1
    meet(socket, visits)
  })
  server.listen({ host, port })
  await once(server, 'listening')
  const end = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(end)
  const { port: bound } = server.address() as AddressInfo
  return { end, address: `${host}:${bound}`, port: bound, visits: () => visits }
}

test('who has answered and listens no more is dead, and that is told once', async () => {
  const [watcher, peer] = [await open('a'), await open('b')]
  const watched = peerOf('b', peer.links.address)
  watcher.links.watch('a', [peerOf('a', watcher.links.address), watched])
  const second = await open('c')
  second.links.watch('c', [watched])
  // a moment in which both have met it
  await new Promise((resolve) => setTimeout(resolve, 200))
  peer.links.close()
  await eventually(() => expect([watcher.dead, second.dead]).toEqual([[watched], [watched]]))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(watcher.dead).toHaveLength(1)
})

test('who was never reached is not dead', async () => {
  const closed = await madeUp(() => {})
  closed.end()
  const { links, dead } = await open('a')
  links.watch('a', [peerOf('b', closed.address)])
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(dead).toEqual([])
})

test('who answers to another name or life is not counted as met', async () => {
  const peer = await open('b')
  const { links, dead } = await open('a')
  const [later, other] = [peerOf('b', peer.links.address), peerOf('x', peer.links.address)]
  links.watch('a', [{ ...later, incarnation: 'b-2' }, other])
  await new Promise((resolve) => setTimeout(resolve, 200))
  peer.links.close()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(dead).toEqual([])
})

test('another process at the port of one that was met is no proof of its death', async () => {
  const peer = await madeUp((socket) => socket.write('ok\n'))
  const { links, dead } = await open('a')
  links.watch('a', [peerOf('b', peer.address)])
  await eventually(() => expect(peer.visits()).toBe(1))
  await new Promise((resolve) => setTimeout(resolve, 100))
  peer.end()
  const heir = await madeUp((socket) => socket.end('no\n'), peer.port)
  await eventually(() => expect(heir.visits()).toBeGreaterThanOrEqual(2))
  heir.end()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(dead).toEqual([])
})

test('a connection that breaks and comes back is no death', async () => {
  const peer = await madeUp((socket, visit) => {
    socket.write('ok\n')
    if (visit < 5) setTimeout(() => socket.destroy(), 20)
  })
  const { links, dead } = await open('a')
  links.watch('a', [peerOf('b', peer.address)])
  await eventually(() => expect(peer.visits()).toBe(5))
  expect(dead).toEqual([])
  // and when it does die, the earlier breaks do not hide it
  await new Promise((resolve) => setTimeout(resolve, 100))
  peer.end()
  await eventually(() => expect(dead).toHaveLength(1))
})

test('who freezes is left to its session', async () => {
  const peer = await madeUp((socket, visit) => {
    if (visit > 1) return
    socket.write('ok\n')
    setTimeout(() => socket.destroy(), 50)
  })
  const { links, dead } = await open('a')
  links.watch('a', [peerOf('b', peer.address)])
  await eventually(() => expect(peer.visits()).toBe(3))
  expect(dead).toEqual([])
}, 15_000)

test('who is in the generation no more is not watched', async () => {
  const peer = await open('b')
  const { links, dead } = await open('a')
  links.watch('a', [peerOf('b', peer.links.address)])
  await new Promise((resolve) => setTimeout(resolve, 200))
  links.watch('a', [])
  peer.links.close()
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(dead).toEqual([])
})

test('of many, the next eight of the ring are watched', async () => {
  const peer = await madeUp((socket) => socket.write('ok\n'))
  const { links } = await open('m05')
  const names = Array.from({ length: 20 }, (_, i) => `m${String(i).padStart(2, '0')}`)
  links.watch('m05', [...names.map((name) => peerOf(name, peer.address)), peerOf('m06', '')])
  await eventually(() => expect(peer.visits()).toBe(8))
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(peer.visits()).toBe(8)
})

test('who sends no line is cut off', async () => {
  const { links } = await open('a')
  const [, port] = links.address.split(':')
  const socket = connect({ host, port: Number(port) })
  socket.on('error', () => {})
  socket.write('x'.repeat(10_000))
  await once(socket, 'close')
})

test('an address of another machine is refused in words', async () => {
  const opening = PeerLinks.open({ host: '192.0.2.1', incarnation: 'x', onDead: () => {} })
  expect(await codeOf(opening)).toBe('BROKER_INVALID_REQUEST')
})

const staticPeer = (memberId: string, instanceId: string, link: string): GroupPeer => ({
  ...peerOf(memberId, link),
  instanceId,
  isStatic: true,
})

test('who said farewell is not dead, though it listens no more', async () => {
  const [watcher, peer] = [await open('a'), await open('b')]
  watcher.links.watch('a', [staticPeer('b', 'two', peer.links.address)])
  await pause(200)
  await peer.links.sayGoodbye()
  await pause(2_500)
  expect(watcher.dead).toEqual([])
})

test('a static member that is back is watched as it is now', async () => {
  const [watcher, peer] = [await open('a'), await open('b')]
  const self = staticPeer('a', 'one', watcher.links.address)
  watcher.links.watch('a', [self, staticPeer('b', 'two', peer.links.address)])
  await pause(200)
  await peer.links.sayGoodbye()
  const back = await open('b2')
  const present = staticPeer('b2', 'two', back.links.address)
  back.links.watch('b2', [self, present])
  await pause(500)
  back.links.close()
  await eventually(() => expect(watcher.dead).toEqual([present]))
  expect(back.dead).toEqual([])
})

test('who introduces itself badly, or is not watched, changes nothing', async () => {
  const [watcher, peer] = [await open('a'), await open('b')]
  const watched = staticPeer('b', 'two', peer.links.address)
  watcher.links.watch('a', [watched])
  const stranger = connect(Number(watcher.links.address.split(':')[1]), host)
  onTestFinished(() => void stranger.destroy())
  stranger.write('millrace-link 1 a a-1\nfrom {"memberId":3}\nfrom nonsense\n')
  stranger.write('from {"memberId":"c","instanceId":"three","incarnation":"x","link":"h:1"}\n')
  await pause(300)
  peer.links.close()
  await eventually(() => expect(watcher.dead).toEqual([watched]))
})

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
