/** LeaveGroup v5 of one member, answered with the error code of the request or of the member. */

import { createAPI, leaveGroupV5, type Reader } from '@platformatic/kafka'

type Arguments = Parameters<typeof leaveGroupV5.createRequest>

const parse = (_id: number, _key: number, _version: number, reader: Reader): number => {
  reader.readInt32() // throttle time
  const error = reader.readInt16()
  const ofMembers = reader.readArray((member) => {
    member.readString() // member id
    member.readNullableString() // instance id
    return member.readInt16()
  })
  return error === 0 ? (ofMembers[0] ?? 0) : error
}

export const leaveGroup = createAPI<Arguments, number>(
  leaveGroupV5.api.key,
  leaveGroupV5.api.version,
  leaveGroupV5.createRequest,
  parse,
)
