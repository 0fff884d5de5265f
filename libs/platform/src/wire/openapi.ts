import { z } from 'zod';
import { problemShape } from './problem-shape.ts';
import { wireShapes } from './registry.ts';
import type { RouteDefinition } from './route.ts';
import { routes } from './routes.ts';

export const API_PREFIX = '/api/v1';
type Json = Record<string, unknown>;

const reference = (id: string) => `#/components/schemas/${id}`;

const withoutMarks = ({ $schema: _schema, $id: _id, ...schema }: Json): Json => schema;

const plain = (schema: z.ZodType, io: 'input' | 'output'): Json => withoutMarks(z.toJSONSchema(schema, { io }) as Json);

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const id = wireShapes.get(schema)?.id;
  return id === undefined ? plain(schema, io) : { $ref: reference(id) };
};

const parametersOf = (definition: RouteDefinition): Json[] => {
  const of = (place: 'path' | 'query', object: z.ZodObject | undefined): Json[] => {
    if (object === undefined) return [];
    const { properties, required } = plain(object, 'input') as {
      properties?: Record<string, Json>;
      required?: string[];
    };
    return Object.entries(properties ?? {}).map(([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: place === 'path' || (required ?? []).includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }));
  };
  const headers = Object.entries(definition.headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  return [...of('path', definition.params), ...of('query', definition.query), ...headers];
};

const ANSWERS: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

const responsesOf = (definition: RouteDefinition): Json => {
  const answers = Object.entries(definition.responses).map(([status, schema]) => [
    status,
    {
      description: ANSWERS[Number(status)] ?? 'Answer',
      content:
        schema === null
          ? { [definition.contentType ?? 'text/plain']: { schema: { type: 'string' } } }
          : {
              'application/json': { schema: schemaOf(schema, 'output') },
              ...(definition.alternative === undefined
                ? {}
                : { [definition.alternative]: { schema: { type: 'string' } } }),
            },
    },
  ]);
  const codes = definition.problems ?? [];
  const problem = {
    description: `Problem details${codes.length === 0 ? '' : `; codes of this route: ${codes.join(', ')}`}`,
    content: { 'application/problem+json': { schema: schemaOf(problemShape, 'output') } },
  };
  return { ...Object.fromEntries(answers), default: problem } as Json;
};

const operationOf = (id: string, definition: RouteDefinition): Json => ({
  operationId: id,
  tags: [definition.tag],
  summary: definition.summary,
  ...(definition.description === undefined ? {} : { description: definition.description }),
  ...(definition.role === null ? { security: [] } : { 'x-role': definition.role }),
  parameters: parametersOf(definition),
  ...(definition.body === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          content: { 'application/json': { schema: schemaOf(definition.body, 'input') } },
        },
      }),
  ...(definition.rawBody === true
    ? { requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } } }
    : {}),
  responses: responsesOf(definition),
});

/** The OpenAPI 3.1 document of {@link routes}. */
export const openApiDocument = (version: string): Json => {
  const paths: Record<string, Json> = {};
  for (const [id, definition] of Object.entries<RouteDefinition>(routes)) {
    const path = `${API_PREFIX}${definition.path}`;
    paths[path] = { ...paths[path], [definition.method.toLowerCase()]: operationOf(id, definition) };
  }
  const { schemas } = z.toJSONSchema(wireShapes, { uri: reference, io: 'output' });
  return {
    openapi: '3.1.1',
    info: {
      title: 'Breakwater',
      version,
      description:
        'Staged rollouts over fleets of Kubernetes clusters. Lists are pages; errors are problem details (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutMarks(schema as Json)])),
    },
  };
};
