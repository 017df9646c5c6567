import { describe, expect, it } from 'vitest';
import { encodeModel } from './onnx-encoding.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('encodeModel', () => {
  it('writes the bytes that protobuf prescribes', () => {
    const bytes = encodeModel(
      {
        name: 'g',
        nodes: [{ operator: 'Op', inputs: ['x'], outputs: ['y'], attributes: [{ name: 'axis', int: -1 }] }],
        initializers: [{ name: 'w', dataType: 'float32', shape: [300], bytes: Uint8Array.of(1, 2, 3, 4) }],
        inputs: [{ name: 'x', dataType: 'int32', shape: ['n', 2] }],
        outputs: [],
      },
      20,
    );
    const node = [
      '0a0178', // input "x"
      '120179', // output "y"
      '22024f70', // op_type "Op"
      '2a14', // attribute of 20 bytes: name "axis", i = -1 in ten bytes, type INT
      '0a0461786973',
      '18ffffffffffffffffff01',
      'a00102',
    ].join('');
    const tensor = '08ac02' + '1001' + '420177' + '4a0401020304';
    const input = '0a0178' + '120f' + '0a0d' + '0806' + '1209' + '0a0312016e' + '0a020802';
    const graph = [
      `0a${(node.length / 2).toString(16)}${node}`,
      '120167', // name "g"
      `2a${(tensor.length / 2).toString(16).padStart(2, '0')}${tensor}`,
      `5a${(input.length / 2).toString(16).padStart(2, '0')}${input}`,
    ].join('');
    const model = [
      '0809', // ir_version 9
      '12096c616b65686f757365', // producer "lakehouse"
      `3a${(graph.length / 2).toString(16)}${graph}`,
      '4204' + '0a00' + '1014', // opset 20 of the default domain
    ].join('');
    expect(hex(bytes)).toBe(model);
  });
});
