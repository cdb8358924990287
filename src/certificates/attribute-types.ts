// The short names of attributes in distinguished names: those of RFC 4514 §3, and others that programs
// print. Any other attribute is named by its dotted identifier.

const TYPES: ReadonlyMap<string, string> = new Map([
  ['cn', '2.5.4.3'],
  ['sn', '2.5.4.4'],
  ['serialnumber', '2.5.4.5'],
  ['c', '2.5.4.6'],
  ['l', '2.5.4.7'],
  ['st', '2.5.4.8'],
  ['street', '2.5.4.9'],
  ['o', '2.5.4.10'],
  ['ou', '2.5.4.11'],
  ['title', '2.5.4.12'],
  ['businesscategory', '2.5.4.15'],
  ['postalcode', '2.5.4.17'],
  ['gn', '2.5.4.42'],
  ['organizationidentifier', '2.5.4.97'],
  ['uid', '0.9.2342.19200300.100.1.1'],
  ['dc', '0.9.2342.19200300.100.1.25'],
  ['emailaddress', '1.2.840.113549.1.9.1'],
])

const DOTTED = /^[0-2](?:\.(?:0|[1-9]\d{0,15})){1,16}$/

/** The dotted identifier of an attribute, by either of its names; undefined for an unknown one. */
export function attributeTypeOf(name: string): string | undefined {
  return TYPES.get(name.toLowerCase()) ?? (DOTTED.test(name) ? name : undefined)
}
