/** Components for any page: `<freehold-login>`, `<freehold-files>`, `<freehold-share>` and `<shacl-form>`. To import this is to define them. */
export { FreeholdFiles, type Listed } from "./files.ts";
export { type Saved, ShaclForm } from "./form.ts";
export { FreeholdLogin } from "./login.ts";
export type { AppDescription, Session } from "./session.ts";
export { FreeholdShare, type Place, type Undo, type Wish } from "./share.ts";
