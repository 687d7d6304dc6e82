import type { ContainerTier } from "@agentpod/types";
import { getAllContainerTiers, replacementOf } from "../models/container-tier.ts";
import { type SurveyedProject, surveyProjects } from "../models/project-survey.ts";
import { columns, orDash } from "./columns.ts";
import type { Command } from "./command.ts";
import { notMigrated, reading } from "./database.ts";

export const projects: Command = {
  name: "projects",
  usage: "[--tiers] [--status STATUS] [--json]",
  summary: "Lists the projects; with --tiers what they are made from, and what replaces the old tiers.",
  help: [
    "Also reads a database that is not migrated yet, and then shows what the migration will choose.",
    "",
    "  --tiers          old tier, resource tier, flavor and addons of each",
    "  --status STATUS  only those, such as running",
    "  --json           for programs",
  ],
  options: { tiers: { type: "boolean" }, status: { type: "string" }, json: { type: "boolean" } },
  positionalsMax: 0,
  run: (context, { values: { tiers, status, json } }) => {
    const {
      migrated,
      projects: all,
      containerTiers,
    } = reading(context, (db) => {
      const survey = surveyProjects(db);
      if (survey === undefined) throw notMigrated();
      return { ...survey, containerTiers: getAllContainerTiers(db) };
    });
    const listed = all.filter((project) => status === undefined || project.status === status);
    if (json === true) {
      return context.print(JSON.stringify({ migrated, projects: listed, ...(tiers && { containerTiers }) }, null, 2));
    }
    if (listed.length === 0) context.print("No projects.");
    else context.print(columns(tiers === true ? tierRows(listed) : plainRows(listed)).join("\n"));
    if (tiers !== true) return;
    if (!migrated) context.print("\nNot migrated yet: tier, flavor and addons are what the migration will choose.");
    context.print(["", ...columns(mappingRows(containerTiers))].join("\n"));
  },
};

const plainRows = (projects: readonly SurveyedProject[]): string[][] => [
  ["PROJECT", "STATUS", "RUNTIME", "FLAVOR", "ADDONS", "URL"],
  ...projects.map(({ slug, status, runtime, flavorId, addonIds, url }) => {
    return [slug, status, orDash(runtime), flavorId, orDash(addonIds.join(",")), orDash(url)];
  }),
];

const tierRows = (projects: readonly SurveyedProject[]): string[][] => [
  ["PROJECT", "STATUS", "OLD TIER", "RESOURCE TIER", "FLAVOR", "ADDONS"],
  ...projects.map(({ slug, status, containerTierId, resourceTierId, flavorId, addonIds }) => {
    return [slug, status, orDash(containerTierId), resourceTierId, flavorId, orDash(addonIds.join(","))];
  }),
];

const mappingRows = (tiers: readonly ContainerTier[]): string[][] => [
  ["OLD TIER", "RESOURCE TIER", "FLAVOR", "ADDONS"],
  ...[...tiers, { id: "any other", replacement: replacementOf(null) }].map(({ id, replacement }) => {
    return [id, replacement.resourceTierId, replacement.flavorId, replacement.addonIds.join(",")];
  }),
];
