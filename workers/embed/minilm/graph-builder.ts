import type { Attribute, NodeSpec, TensorSpec } from './onnx-encoding.ts';
import type { StoredTensor } from './safetensors.ts';

/** Collects nodes and constants of a graph; every function returns the name of the value that it made. */
export interface GraphBuilder {
  readonly nodes: NodeSpec[];
  readonly initializers: TensorSpec[];
  /** Adds one operator with one output. */
  apply(operator: string, inputs: readonly string[], attributes?: readonly Attribute[]): string;
  /** The output of an operator under a name of the caller's choice. */
  applyAs(name: string, operator: string, inputs: readonly string[]): string;
  /** A stored float16 tensor as it is. Throws where it is absent, which the check of the file's sum rules out. */
  stored(name: string): string;
  /** A stored float16 tensor, cast to float32. */
  weight(name: string): string;
  /** A float32 scalar. */
  scalar(value: number): string;
  /** An int64 vector, as shapes and axes are written. */
  integers(values: readonly number[]): string;
}

export const castToFloat32: readonly Attribute[] = [{ name: 'to', int: 1 }];

export function createGraphBuilder(tensors: ReadonlyMap<string, StoredTensor>): GraphBuilder {
  const nodes: NodeSpec[] = [];
  const initializers: TensorSpec[] = [];
  const apply: GraphBuilder['apply'] = (operator, inputs, attributes = []) => {
    const output = `${operator}_${nodes.length}`;
    nodes.push({ operator, inputs, outputs: [output], attributes });
    return output;
  };
  const constant = (tensor: Omit<TensorSpec, 'name'>): string => {
    const name = `constant_${initializers.length}`;
    initializers.push({ name, ...tensor });
    return name;
  };
  const stored: GraphBuilder['stored'] = (name) => {
    const tensor = tensors.get(name);
    if (tensor?.dataType !== 'F16') throw new Error(`the weights hold no float16 tensor ${name}`);
    return constant({ dataType: 'float16', shape: tensor.shape, bytes: tensor.bytes });
  };
  return {
    nodes,
    initializers,
    apply,
    applyAs: (name, operator, inputs) => {
      nodes.push({ operator, inputs, outputs: [name] });
      return name;
    },
    stored,
    weight: (name) => apply('Cast', [stored(name)], castToFloat32),
    scalar: (value) => constant({ dataType: 'float32', shape: [], bytes: littleEndian([value], 4) }),
    integers: (values) => constant({ dataType: 'int64', shape: [values.length], bytes: littleEndian(values, 8) }),
  };
}

/** Four bytes a value: float32; eight: int64. */
function littleEndian(values: readonly number[], bytesPerValue: 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * bytesPerValue));
  values.forEach((value, index) => {
    if (bytesPerValue === 4) view.setFloat32(index * 4, value, true);
    else view.setBigInt64(index * 8, BigInt(value), true);
  });
  return new Uint8Array(view.buffer);
}
