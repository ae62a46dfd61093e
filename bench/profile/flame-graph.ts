/**
 * A profile as a flame graph: an SVG that any browser shows, each call with its time as a tooltip.
 *
 * Width is time, callees stand on their callers (Gregg, "The Flame Graph", CACM 59/6). Calls of
 * the same function by the same caller are one; what is narrower than a pixel is left out.
 */

import { basename } from 'node:path'
import { type ProfileCall, totalUsOf } from './cpu-profile.ts'

const [widthPx, rowPx, leastPx, letterPx] = [1_400, 16, 1, 6.2]

interface Frame {
  readonly name: string
  us: number
  readonly callees: Map<string, Frame>
}

export const flameGraph = (root: ProfileCall, title: string): string => {
  const all: Frame = { name: title, us: 0, callees: new Map() }
  for (const call of root.callees) {
    if (call.functionName !== '(idle)') all.us += addTo(all, call)
  }
  const rows: string[] = []
  const depth = draw(all, { x: 0, y: 0, pxPerUs: widthPx / all.us, totalUs: all.us }, rows)
  const height = (depth + 1) * rowPx
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${height}"`,
    ` font-family="monospace" font-size="10">`,
    `<g transform="translate(0 ${height - rowPx}) scale(1 1)">`,
    ...rows,
    '</g></svg>\n',
  ].join('\n')
}

/** @returns the time of the call with all it called */
const addTo = (parent: Frame, call: ProfileCall): number => {
  const name = nameOf(call)
  let frame = parent.callees.get(name)
  if (frame === undefined) {
    frame = { name, us: 0, callees: new Map() }
    parent.callees.set(name, frame)
  }
  const us = totalUsOf(call)
  frame.us += us
  for (const callee of call.callees) addTo(frame, callee)
  return us
}

interface Place {
  readonly x: number
  readonly y: number
  readonly pxPerUs: number
  readonly totalUs: number
}

/** @returns how many rows stand above */
const draw = ({ name, us, callees }: Frame, place: Place, rows: string[]): number => {
  const { x, y, pxPerUs, totalUs } = place
  const width = us * pxPerUs
  if (width < leastPx) return 0
  const share = ((us / totalUs) * 100).toFixed(1)
  const text = escaped(name.slice(0, Math.floor(width / letterPx)))
  rows.push(
    `<g><title>${escaped(name)}: ${(us / 1_000).toFixed(0)} ms, ${share} %</title>`
      + `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${rowPx - 1}"`
      + ` fill="${colourOf(name)}"/>`
      + `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${text}</text></g>`,
  )
  let [next, depth] = [x, 0]
  for (const callee of [...callees.values()].toSorted((a, b) => b.us - a.us)) {
    depth = Math.max(depth, 1 + draw(callee, { ...place, x: next, y: y - rowPx }, rows))
    next += callee.us * pxPerUs
  }
  return depth
}

const nameOf = ({ functionName, url, line }: ProfileCall): string => {
  const name = functionName === '' ? '(anonymous)' : functionName
  return url === '' ? name : `${name} ${basename(url)}:${line}`
}

/** Warm, and the same for the same name. */
const colourOf = (name: string): string => {
  let hash = 0
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)!) % 9_973
  return `hsl(${20 + (hash % 40)} 85% ${60 + (hash % 15)}%)`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
