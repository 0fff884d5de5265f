/** A tar archive in the plain old format. */
export const tar = (entries: Readonly<Record<string, string | { type: string; content?: string }>>): Buffer =>
  Buffer.concat([
    ...Object.entries(entries).flatMap(([path, entry]) => {
      const content = Buffer.from(typeof entry === 'string' ? entry : (entry.content ?? ''));
      const header = Buffer.alloc(512);
      header.write(path, 0);
      header.write('0000644\0', 100);
      header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
      header.write(typeof entry === 'string' ? '0' : entry.type, 156);
      header.write('ustar\0', 257);
      return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
    }),
    Buffer.alloc(1024),
  ]);
