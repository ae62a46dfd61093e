/**
 * The project's own files as data for the tidy test: paths, texts, import edges.
 *
 * Knows nothing of the rules; `node_modules`, build output and data are left out.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

export interface ImportEdge {
  readonly from: string
  /** A path from the root, or a package's name. */
  readonly to: string
  readonly line: number
}

const folders = ['src', 'state', 'topologies', 'test', 'bench', 'scripts', 'docs']
const skipped = /(^|\/)(node_modules|tmp|results|data)(\/|$)/

export const sourceFiles = (extensions: RegExp): readonly SourceFile[] => {
  const inFolders = folders.flatMap((folder) => filesBelow(folder))
  const atTop = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
  return [...atTop, ...inFolders]
    .filter((path) => extensions.test(path) && !skipped.test(path))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, lines: text.split('\n') }
    })
}

const filesBelow = (folder: string): readonly string[] => {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  } catch {
    return []
  }
}

const specifier = /(?:\bfrom|\bimport|\bnew URL)\s*\(?\s*'([^'\n]+)'/g

/** Static and dynamic imports, re-exports, and worker files named by `new URL`. */
export const importsOf = ({ path, lines }: SourceFile): readonly ImportEdge[] =>
  lines.flatMap((text, index) =>
    // an example in a comment is no import
    /^\s*(\*|\/\/|\/\*)/.test(text)
      ? []
      : [...text.matchAll(specifier)].map((match) => ({
          from: path,
          to: match[1]!.startsWith('.') ? join(dirname(path), match[1]!) : match[1]!,
          line: index + 1,
        })),
  )
