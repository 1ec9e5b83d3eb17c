/**
 * The values of a style's properties, for the first picture. It has the expressions that the server's styles use for
 * communes, water and roads; with any other there is no first picture.
 */

/** What a value may depend on. */
export interface Scope {
  zoom: number;
  /** The kind of geometry as expressions name it: `Polygon`, `LineString` or `Point`. */
  type: string;
  properties: Record<string, unknown>;
}

type Value = unknown;

const compare: Record<string, (a: Value, b: Value) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => Number(a) < Number(b),
  '<=': (a, b) => Number(a) <= Number(b),
  '>': (a, b) => Number(a) > Number(b),
  '>=': (a, b) => Number(a) >= Number(b),
};

const compute: Record<string, (...numbers: number[]) => number> = {
  '+': (...numbers) => numbers.reduce((a, b) => a + b, 0),
  '-': (a = 0, b) => (b === undefined ? -a : a - b),
  '*': (...numbers) => numbers.reduce((a, b) => a * b, 1),
  '/': (a = 0, b = 1) => a / b,
  max: Math.max,
  min: Math.min,
};

/** The value of an expression, or of a constant. Throws if it has something that is not known here. */
export function evaluate(expression: Value, scope: Scope): Value {
  if (!Array.isArray(expression)) return expression;
  const [name, ...args] = expression as [string, ...Value[]];
  const of = (argument: Value) => evaluate(argument, scope);
  const compared = compare[name];
  if (compared) return compared(of(args[0]), of(args[1]));
  const computed = compute[name];
  if (computed) return computed(...args.map((argument) => Number(of(argument))));
  switch (name) {
    case 'literal':
      return args[0];
    case 'zoom':
      return scope.zoom;
    case 'geometry-type':
      return scope.type;
    case 'get':
      return scope.properties[String(args[0])] ?? null;
    case 'has':
      return String(args[0]) in scope.properties;
    case 'to-string':
      return String(of(args[0]) ?? '');
    case 'to-number':
      return firstNumber(args.map(of));
    case 'coalesce':
      return args.map(of).find((value) => value !== null) ?? null;
    case 'concat':
      return args.map((argument) => String(of(argument) ?? '')).join('');
    case 'slice':
      return [...String(of(args[0]))]
        .slice(Number(of(args[1])), args[2] === undefined ? undefined : Number(of(args[2])))
        .join('');
    case '!':
      return !of(args[0]);
    case 'all':
      return args.every(of);
    case 'any':
      return args.some(of);
    case 'case':
      return choose(args, of, (condition) => of(condition) === true);
    case 'match': {
      const input = of(args[0]);
      return choose(args.slice(1), of, (label) => (Array.isArray(label) ? label.includes(input) : label === input));
    }
    case 'step':
      return step(args, of);
    case 'interpolate':
      return interpolate(args, of);
    default:
      throw new Error(`the first picture does not know the expression ${name}`);
  }
}

/** Of a list of conditions and results, with the result of none at its end, the first whose condition holds. */
function choose(list: Value[], of: (value: Value) => Value, holds: (condition: Value) => boolean): Value {
  for (let at = 0; at + 1 < list.length; at += 2) if (holds(list[at])) return of(list[at + 1]);
  return of(list.at(-1));
}

function step([input, first, ...stops]: Value[], of: (value: Value) => Value): Value {
  const position = Number(of(input));
  let result = first;
  for (let at = 0; at < stops.length && Number(stops[at]) <= position; at += 2) result = stops[at + 1];
  return of(result);
}

/** A number between those of two stops; the base of an exponential curve is 1 for a straight line. */
function interpolate([curve, input, ...stops]: Value[], of: (value: Value) => Value): Value {
  const [kind, base = 1] = curve as [string, number?];
  if (kind !== 'linear' && kind !== 'exponential') throw new Error(`the first picture does not know the curve ${kind}`);
  const position = Number(of(input));
  const next = stops.findIndex((stop, at) => at % 2 === 0 && Number(stop) > position);
  if (next < 0) return of(stops.at(-1));
  if (next === 0) return of(stops[1]);
  const [from, to] = [Number(stops[next - 2]), Number(stops[next])];
  const share =
    base === 1 ? (position - from) / (to - from) : (base ** (position - from) - 1) / (base ** (to - from) - 1);
  const [low, high] = [Number(of(stops[next - 1])), Number(of(stops[next + 1]))];
  return low + (high - low) * share;
}

/** The first of the values that is a number or the text of one. */
function firstNumber(values: Value[]): number {
  const found = values.find((value) => value === null || (value !== '' && Number.isFinite(Number(value))));
  if (found === undefined) throw new Error('no value is a number');
  return Number(found);
}
