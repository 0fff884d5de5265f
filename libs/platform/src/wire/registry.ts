import { z } from 'zod';

/** Shapes that the OpenAPI document names under `components.schemas`. */
export const wireShapes = z.registry<{ id: string }>();

/** Gives a shape its name in the OpenAPI document. */
export const named = <T extends z.ZodType>(id: string, shape: T): T => {
  wireShapes.add(shape, { id });
  return shape;
};
