/**
 * Writes the few protobuf messages of ONNX (onnx.proto3, IR version 9) that a graph with its weights needs.
 * Field numbers are those of the published onnx.proto.
 */

/** A message or a field in parts that are joined once at the end, so that weights are copied only once. */
export interface Encoded {
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
}

/** ONNX TensorProto.DataType. */
export const dataTypes = { float32: 1, int32: 6, int64: 7, float16: 10 } as const;
export type DataType = keyof typeof dataTypes;

export type Attribute =
  | { readonly name: string; readonly float: number }
  | { readonly name: string; readonly int: number }
  | { readonly name: string; readonly ints: readonly number[] };

export interface NodeSpec {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly Attribute[];
}

/** A dimension is a fixed size or the name of one that each run decides. */
export interface ValueSpec {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly (number | string)[];
}

export interface TensorSpec {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Little-endian values in row-major order. */
  readonly bytes: Uint8Array;
}

export interface GraphSpec {
  readonly name: string;
  readonly nodes: readonly NodeSpec[];
  readonly initializers: readonly TensorSpec[];
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
}

const irVersion = 9;
const attributeTypes = { float: 1, int: 2, ints: 7 } as const;

/** The bytes of an ONNX model file that holds this graph, in the standard operator set of version `opset`. */
export function encodeModel(graph: GraphSpec, opset: number): Uint8Array {
  const model = message([
    integer(1, irVersion),
    text(2, 'lakehouse'),
    nested(7, encodeGraph(graph)),
    nested(8, message([text(1, ''), integer(2, opset)])),
  ]);
  return joined(model);
}

function encodeGraph(graph: GraphSpec): Encoded {
  return message([
    ...graph.nodes.map((node) => nested(1, encodeNode(node))),
    text(2, graph.name),
    ...graph.initializers.map((tensor) => nested(5, encodeTensor(tensor))),
    ...graph.inputs.map((value) => nested(11, encodeValue(value))),
    ...graph.outputs.map((value) => nested(12, encodeValue(value))),
  ]);
}

function encodeNode(node: NodeSpec): Encoded {
  return message([
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(4, node.operator),
    ...(node.attributes ?? []).map((attribute) => nested(5, encodeAttribute(attribute))),
  ]);
}

function encodeAttribute(attribute: Attribute): Encoded {
  const name = text(1, attribute.name);
  if ('float' in attribute) {
    return message([name, float(2, attribute.float), integer(20, attributeTypes.float)]);
  }
  if ('int' in attribute) return message([name, integer(3, attribute.int), integer(20, attributeTypes.int)]);
  return message([name, ...attribute.ints.map((value) => integer(8, value)), integer(20, attributeTypes.ints)]);
}

function encodeTensor(tensor: TensorSpec): Encoded {
  return message([
    ...tensor.shape.map((size) => integer(1, size)),
    integer(2, dataTypes[tensor.dataType]),
    text(8, tensor.name),
    delimited(9, { parts: [tensor.bytes], byteLength: tensor.bytes.byteLength }),
  ]);
}

function encodeValue(value: ValueSpec): Encoded {
  const dimensions = value.shape.map((size) =>
    nested(1, message([typeof size === 'number' ? integer(1, size) : text(2, size)])),
  );
  const tensorType = message([integer(1, dataTypes[value.dataType]), nested(2, message(dimensions))]);
  return message([text(1, value.name), nested(2, message([nested(1, tensorType)]))]);
}

const wireTypes = { varint: 0, delimited: 2, fixed32: 5 } as const;

function message(fields: readonly Encoded[]): Encoded {
  return {
    parts: fields.flatMap((field) => field.parts),
    byteLength: fields.reduce((sum, field) => sum + field.byteLength, 0),
  };
}

function single(bytes: Uint8Array): Encoded {
  return { parts: [bytes], byteLength: bytes.byteLength };
}

/** Base-128 varint; a negative number takes its 64-bit two's complement, as protobuf's int64 does. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function tag(field: number, wireType: number): number[] {
  return varint((field << 3) | wireType);
}

function integer(field: number, value: number): Encoded {
  return single(Uint8Array.from([...tag(field, wireTypes.varint), ...varint(value)]));
}

function float(field: number, value: number): Encoded {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message([single(Uint8Array.from(tag(field, wireTypes.fixed32))), single(bytes)]);
}

function delimited(field: number, content: Encoded): Encoded {
  const head = Uint8Array.from([...tag(field, wireTypes.delimited), ...varint(content.byteLength)]);
  return { parts: [head, ...content.parts], byteLength: head.byteLength + content.byteLength };
}

const nested = delimited;

function text(field: number, value: string): Encoded {
  return delimited(field, single(new TextEncoder().encode(value)));
}

function joined(encoded: Encoded): Uint8Array {
  const bytes = new Uint8Array(encoded.byteLength);
  let offset = 0;
  for (const part of encoded.parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}
