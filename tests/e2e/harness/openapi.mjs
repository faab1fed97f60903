// Holds what a server answers to docs/openapi.json, and counts what of it has been seen: each operation with each of its
// statuses. Knows as much of JSON Schema as that file uses, and fails on any word that it does not know.
import { readFileSync } from 'node:fs';

const WORDS = new Set(['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'const', '$ref', 'minimum',
  'maximum', 'description', 'minLength', 'maxLength', 'minProperties', 'default']);

export class OpenApi {
  constructor(url) {
    this.document = JSON.parse(readFileSync(url, 'utf8'));
    this.seen = new Set();
  }

  resolve(node) {
    if (!node?.$ref) return node;
    return this.resolve(node.$ref.slice(2).split('/').reduce((at, part) => at[part], this.document));
  }

  // Why `value` is not of the schema, or nothing.
  problem(value, schema, where = '') {
    schema = this.resolve(schema);
    for (const word of Object.keys(schema)) if (!WORDS.has(word)) return `${where}: unknown word ${word}`;
    const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
    const fits = schema.type === 'integer' ? Number.isInteger(value) : schema.type === type;
    if (!fits) return `${where}: is ${type}, not ${schema.type}`;
    if ('const' in schema && value !== schema.const) return `${where}: is ${value}`;
    if (schema.enum && !schema.enum.includes(value)) return `${where}: is ${value}, not one of ${schema.enum}`;
    if (value < schema.minimum || value > schema.maximum) return `${where}: is ${value}`;
    if (type === 'array') {
      return value.map((item, i) => this.problem(item, schema.items, `${where}[${i}]`)).find((one) => one);
    }
    if (type !== 'object') return undefined;
    for (const name of schema.required ?? []) if (!(name in value)) return `${where}.${name}: is missing`;
    for (const [name, item] of Object.entries(value)) {
      if (!schema.properties[name]) return `${where}.${name}: is not described`;
      const problem = this.problem(item, schema.properties[name], `${where}.${name}`);
      if (problem) return problem;
    }
    return undefined;
  }

  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) => Object.entries(item)
      .filter(([method]) => method !== 'parameters')
      .flatMap(([method, operation]) => Object.keys(operation.responses).map((status) => `${method} ${path} ${status}`)));
  }

  // An answer to `method` on `path`, a key of the document. Throws when it is not described so.
  check(method, path, status, body) {
    const item = this.document.paths[path];
    // A method that a path does not have is answered alike by all of them.
    const operation = item[method] ?? Object.values(item).find((one) => one.responses?.[status]);
    const response = this.resolve(operation?.responses?.[status]);
    if (!response) throw new Error(`${method} ${path} is not described with status ${status}`);
    const problem = this.problem(body, response.content['application/json'].schema, `${method} ${path} ${status}`);
    if (problem) throw new Error(problem + ' in ' + JSON.stringify(body));
    const described = item[method] ? [method] : Object.keys(item).filter((one) => item[one].responses?.[status]);
    for (const one of described) this.seen.add(`${one} ${path} ${status}`);
  }
}
