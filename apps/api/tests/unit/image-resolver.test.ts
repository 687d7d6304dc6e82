import { describe, test, expect } from 'bun:test';
import { resolveImage, validateContainerConfig } from '../../src/services/image-resolver';

describe('Image Resolver', () => {
  test('resolves default configuration', () => {
    const result = resolveImage({});
    expect(result.flavor.id).toBe('fullstack');
    expect(result.resourceTier.id).toBe('starter');
  });

  test('resolves JS flavor with code-server', () => {
    const result = resolveImage({
      flavorId: 'js',
      addonIds: ['code-server'],
    });
    expect(result.imageRef).toContain('agentpod-js-code-server');
    expect(result.exposedPorts).toContain(8080);
  });

  test('validates invalid flavor', () => {
    const result = validateContainerConfig({
      flavorId: 'invalid',
    });
    expect(result.valid).toBe(false);
    expect(result.errors).toContain("Flavor 'invalid' not found");
  });
});
