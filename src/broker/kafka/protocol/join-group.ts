/** JoinGroup v9, answered with its error code: an unknown code must not be lost in a table. */

import { createAPI, joinGroupV9, type Reader } from '@platformatic/kafka'

type Arguments = Parameters<typeof joinGroupV9.createRequest>

export interface JoinGroupAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolName: string | null
  readonly leaderId: string
  /** The leader came back as a static member: the group keeps the assignment it has. */
  readonly skipAssignment: boolean
  /** Also of an error: with MEMBER_ID_REQUIRED it is the id to join with. */
  readonly memberId: string
  /** Of the leader only. */
  readonly members: readonly JoinGroupMember[]
}

export interface JoinGroupMember {
  readonly memberId: string
  readonly metadata: Buffer
}

const parse = (_id: number, _key: number, _version: number, reader: Reader): JoinGroupAnswer => {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  const generationId = reader.readInt32()
  reader.readNullableString() // protocol type
  return {
    errorCode,
    generationId,
    protocolName: reader.readNullableString(),
    leaderId: reader.readString(),
    skipAssignment: reader.readBoolean(),
    memberId: reader.readString(),
    members: reader.readArray((member) => {
      const memberId = member.readString()
      member.readNullableString() // instance id
      // a copy: the answer lies in the connection's buffer
      return { memberId, metadata: Buffer.from(member.readBytes()) }
    }),
  }
}

export const joinGroup = createAPI<Arguments, JoinGroupAnswer>(
  joinGroupV9.api.key,
  joinGroupV9.api.version,
  joinGroupV9.createRequest,
  parse,
)
