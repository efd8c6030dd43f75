// Fastify and pg, as a service of this kind is commonly written in Node: two processes, a pool each, prepared statements,
// answers serialised by schema. It serves the same table by the same statements as Lodebase.
//
//     node peers/fastify.js SPEC     (JSON: processes, pool, database, resources; see kit/peers.py)
//
// Listens on a free port of 127.0.0.1 and says "listening PORT". Ends when its standard input does.
'use strict'

const cluster = require('node:cluster')
const crypto = require('node:crypto')
const fs = require('node:fs')

const spec = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))

function instant (text) {
  const [time, fraction = ''] = text.slice(11, -3).split('.')
  return `${text.slice(0, 10)}T${time}.${fraction.padEnd(6, '0')}Z`
}

function uuid7 () {
  const b = crypto.randomBytes(16)
  b.writeUIntBE(Date.now(), 0, 6)
  b[6] = (b[6] & 0x0f) | 0x70
  b[8] = (b[8] & 0x3f) | 0x80
  const h = b.toString('hex')
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
}

const SUMMARY = {
  type: 'object',
  nullable: true,
  properties: { id: { type: 'string' }, slug: { type: 'string', nullable: true }, name: { type: 'string', nullable: true } }
}
const JSON_TYPES = { integer: 'integer', decimal: 'number', boolean: 'boolean' }

function schemaOf (resource) {
  const properties = {}
  for (const f of resource.fields) {
    properties[f.name] = { type: JSON_TYPES[f.type] || 'string', nullable: true }
    if (f.type === 'reference') properties[f.name.slice(0, -3)] = SUMMARY
  }
  return { type: 'object', properties }
}

function recordOf (resource, row) {
  const record = {}
  let summary = resource.fields.length
  for (let i = 0; i < resource.fields.length; i++) {
    const f = resource.fields[i]
    record[f.name] = row[i]
    if (f.type === 'reference') {
      record[f.name.slice(0, -3)] = row[i] === null ? null : { id: row[i], slug: row[summary], name: row[summary + 1] }
      summary += 2
    }
  }
  return record
}

async function write (pool, resource, body) {
  const id = uuid7()
  const values = [id, body.slug]
  resource.own.forEach((name, i) => values.push(body[name] === undefined ? resource.defaults[i] : body[name]))
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query({ name: 'write_begin', text: spec.begin.sql, values: spec.begin.params })
    for (const lock of resource.locks) {
      await client.query({ name: `${lock.member}_lock`, text: lock.sql, values: [`{${body[lock.member]}}`] })
    }
    const done = await client.query({ name: `${resource.name}_insert`, text: resource.insert, values, rowMode: 'array' })
    await client.query('commit')
    client.release()
    return recordOf(resource, done.rows[0])
  } catch (e) {
    client.release(e)
    throw e
  }
}

function route (app, pool, resource) {
  const record = schemaOf(resource)

  app.get(`/v1/${resource.name}/:id`, { schema: { response: { 200: record } } }, async (request, reply) => {
    const { rows } = await pool.query({
      name: `${resource.name}_get`, text: resource.get, values: [request.params.id], rowMode: 'array'
    })
    if (rows.length === 0) return reply.code(404).send()
    const found = recordOf(resource, rows[0])
    const etag = `"${found.version}"`
    reply.header('ETag', etag).header('Cache-Control', 'no-cache')
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return found
  })

  const page = { type: 'object', properties: { items: { type: 'array', items: record }, next_cursor: { type: 'string', nullable: true } } }
  app.get(`/v1/${resource.name}`, { schema: { response: { 200: page } } }, async (request, reply) => {
    const { rows } = await pool.query({
      name: `${resource.name}_list`, text: resource.list.sql, values: resource.list.params, rowMode: 'array'
    })
    const items = rows.slice(0, 50).map((row) => recordOf(resource, row))
    let cursor = null
    if (rows.length > 50) {
      cursor = Buffer.from(`${items[49].created_at} ${items[49].id}`).toString('base64url')
      reply.header('Link', `</v1/${resource.name}?cursor=${cursor}>; rel="next"`)
    }
    reply.header('Cache-Control', 'no-cache')
    return { items, next_cursor: cursor }
  })

  app.post(`/v1/${resource.name}`, { schema: { response: { 201: record } } }, async (request, reply) => {
    const made = await write(pool, resource, request.body)
    return reply.code(201).header('ETag', `"${made.version}"`).header('Location', `/v1/${resource.name}/${made.id}`).send(made)
  })
}

function serve () {
  const pg = require('pg')
  const app = require('fastify')()
  const pool = new pg.Pool({ ...spec.database, max: spec.pool, idleTimeoutMillis: 0 })
  pg.types.setTypeParser(20, Number)
  pg.types.setTypeParser(1700, Number)
  pg.types.setTypeParser(1082, String)
  pg.types.setTypeParser(1184, instant)
  for (const resource of spec.resources) route(app, pool, resource)
  app.listen({ host: '127.0.0.1', port: 0 }).catch((e) => {
    console.error(e)
    process.exit(1)
  })
}

if (cluster.isPrimary) {
  let ready = 0
  cluster.on('listening', (worker, address) => {
    if (++ready === spec.processes) console.log(`listening ${address.port}`)
  })
  for (let i = 0; i < spec.processes; i++) cluster.fork()
  process.stdin.resume().on('end', () => process.exit(0))
} else {
  serve()
}
