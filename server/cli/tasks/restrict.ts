/** `freehold restrict` and `unrestrict`: freezing a pod, or a place in it, for everybody but its owner. */
import type { Task } from "../task.ts";
import { placeIn, podNamed } from "./pod-named.ts";

export const restrict: Task = {
  name: "restrict",
  usage: "<pod> [place]",
  about: "Freeze a pod, folder or document for everybody but its owner, until it is unfrozen",
  async run(context, { args: [name = "", place] }) {
    const pod = await podNamed(context, name);
    const list = await context.ldp.restrictions.restrict(pod, placeIn(pod, place), "operator");
    return { lines: ["Frozen for all but the owner:", ...list.map(({ path }) => path)], exit: 0 };
  },
};

export const unrestrict: Task = {
  name: "unrestrict",
  usage: "<pod> [place]",
  about: "Unfreeze it: everybody has again exactly the access they had",
  async run(context, { args: [name = "", place] }) {
    const pod = await podNamed(context, name);
    const list = await context.ldp.restrictions.release(pod, placeIn(pod, place), "operator");
    const lines =
      list.length > 0 ? ["Still frozen:", ...list.map(({ path }) => path)] : ["Nothing is frozen"];
    return { lines, exit: 0 };
  },
};
