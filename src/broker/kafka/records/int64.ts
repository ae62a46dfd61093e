/**
 * 64-bit integers of the wire as numbers: exact up to 2^53, which no offset reaches; a bigint per
 * field would cost more than the rest of the header.
 */

const two32 = 4_294_967_296

export const readInt64 = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position) * two32 + buffer.readUInt32BE(position + 4)

export const writeInt64 = (buffer: Buffer, value: number, position: number): void => {
  const high = Math.floor(value / two32)
  buffer.writeInt32BE(high, position)
  buffer.writeUInt32BE(value - high * two32, position + 4)
}
