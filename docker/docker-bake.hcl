# The tree of images: the base, the flavors on it, the addons on each of those. The scripts beside it
# hand in what differs between machines; `docker buildx bake --file docker/docker-bake.hcl --print all`
# shows what would be built.

variable "REGISTRY_URL" {
  default = "localhost"
}
variable "REGISTRY_OWNER" {
  default = "agentpod"
}
variable "IMAGE_VERSION" {
  default = "dev"
}

# Added to every tag; the scripts build under a tag of their own and give the real one when all went well.
variable "TAG_SUFFIX" {
  default = ""
}

# Folder of this file, from where bake is run.
variable "DOCKER_ROOT" {
  default = "docker"
}

# What there is, as comma lists; the scripts name the folders they find.
variable "FLAVORS" {
  default = "js,python,go,rust,fullstack,polyglot"
}
variable "INCLUDES" {
  default = {
    fullstack = ["js", "python"]
    polyglot = ["go", "js", "python", "rust"]
  }
}
variable "ADDONS" {
  default = "gui,code-server,databases,cloud,gpu"
}

# Where an image takes the one below it from: "target" builds it in the same run, "image" has it on the engine.
# The two do not share their cache, so the scripts, which also build single images, always take "image".
variable "PARENT" {
  default = "target"
}

# One addon on any image: target "step". Any set of addons is a number of steps.
variable "STEP_ADDON" {
  default = "code-server"
}
variable "STEP_BELOW" {
  default = "localhost/agentpod/agentpod-base:dev"
}
# Where the addon's downloads are made; the same for all flavors, so that they are made once.
variable "STEP_FETCH" {
  default = "localhost/agentpod/agentpod-base:dev"
}
variable "STEP_REF" {
  default = "localhost/agentpod/agentpod-base-code-server:dev"
}
# All addons the image then has, as a comma list in alphabetical order.
variable "STEP_ADDONS" {
  default = "code-server"
}

# Repository for the cache of each target, for builders that forget; empty for none. It is written with CACHE_WRITE=true.
variable "CACHE_REPOSITORY" {
  default = ""
}
variable "CACHE_WRITE" {
  default = "false"
}
# "max" keeps every step's result, "min" those of the image's own layers.
variable "CACHE_MODE" {
  default = "max"
}

# Comma list such as linux/amd64,linux/arm64; empty for this machine's own.
variable "PLATFORMS" {
  default = ""
}

# What is kept beside every image, as a comma list: provenance, sbom. The second needs the scanner image
# that BuildKit takes from Docker Hub.
variable "ATTESTATIONS" {
  default = ""
}

function "ref" {
  params = [name]
  result = "${REGISTRY_URL}/${REGISTRY_OWNER}/${name}:${IMAGE_VERSION}"
}

# registry/owner/NAME:tag -> NAME
function "image_name" {
  params = [ref]
  result = regex("^(?:.*/)?([^/:@]+)", ref)[0]
}

function "parent" {
  params = [target, name]
  result = equal(PARENT, "target") ? "target:${target}" : "docker-image://${ref(name)}"
}

function "cache_from" {
  params = [name]
  result = equal(CACHE_REPOSITORY, "") ? [] : ["type=registry,ref=${CACHE_REPOSITORY}:${name}"]
}

function "cache_to" {
  params = [name]
  result = and(notequal(CACHE_REPOSITORY, ""), equal(CACHE_WRITE, "true")) ? ["type=registry,mode=${CACHE_MODE},ref=${CACHE_REPOSITORY}:${name}"] : []
}

target "_image" {
  platforms = equal(PLATFORMS, "") ? [] : split(",", PLATFORMS)
  attest = concat(
    contains(split(",", ATTESTATIONS), "provenance") ? ["type=provenance,mode=min"] : [],
    contains(split(",", ATTESTATIONS), "sbom") ? ["type=sbom"] : []
  )
}

target "base" {
  inherits = ["_image"]
  context = "${DOCKER_ROOT}/base"
  tags = ["${ref("agentpod-base")}${TAG_SUFFIX}"]
  args = {
    IMAGE_VERSION = IMAGE_VERSION
    IMAGE_REF = ref("agentpod-base")
  }
  labels = {
    "org.opencontainers.image.title" = "agentpod-base"
  }
  cache-from = cache_from("agentpod-base")
  cache-to = cache_to("agentpod-base")
}

target "flavor" {
  matrix = {
    flavor = split(",", FLAVORS)
  }
  name = "flavor-${flavor}"
  inherits = ["_image"]
  context = "${DOCKER_ROOT}/flavors/${flavor}"
  # Flavors that take others in name them here; those are built in the same run, or come from the cache.
  contexts = merge({
    base = parent("base", "agentpod-base")
  }, {for part in lookup(INCLUDES, flavor, []) : part => "target:flavor-${part}"})
  tags = ["${ref("agentpod-${flavor}")}${TAG_SUFFIX}"]
  args = {
    BASE_IMAGE = "base"
    JS_IMAGE = "js"
    PYTHON_IMAGE = "python"
    GO_IMAGE = "go"
    RUST_IMAGE = "rust"
    IMAGE_VERSION = IMAGE_VERSION
    IMAGE_REF = ref("agentpod-${flavor}")
  }
  labels = {
    "org.opencontainers.image.title" = "agentpod-${flavor}"
  }
  cache-from = cache_from("agentpod-${flavor}")
  cache-to = cache_to("agentpod-${flavor}")
}

# "base" stands for no flavor: what an addon weighs is measured there.
target "addon" {
  matrix = {
    flavor = concat(["base"], split(",", FLAVORS))
    addon = split(",", ADDONS)
  }
  name = "addon-${flavor}-${addon}"
  inherits = ["_image"]
  context = "${DOCKER_ROOT}/addons/${addon}"
  # Bake fails when two contexts are the same target.
  contexts = merge({
    below = parent(equal(flavor, "base") ? "base" : "flavor-${flavor}", "agentpod-${flavor}")
  }, equal(flavor, "base") ? {} : { base = parent("base", "agentpod-base") })
  tags = ["${ref("agentpod-${flavor}-${addon}")}${TAG_SUFFIX}"]
  args = {
    BASE_IMAGE = "below"
    FETCH_IMAGE = equal(flavor, "base") ? "below" : "base"
    ADDONS = addon
    IMAGE_VERSION = IMAGE_VERSION
    IMAGE_REF = ref("agentpod-${flavor}-${addon}")
  }
  labels = {
    "org.opencontainers.image.title" = "agentpod-${flavor}-${addon}"
  }
  cache-from = cache_from("agentpod-${flavor}-${addon}")
  cache-to = cache_to("agentpod-${flavor}-${addon}")
}

target "step" {
  inherits = ["_image"]
  context = "${DOCKER_ROOT}/addons/${STEP_ADDON}"
  contexts = {
    below = "docker-image://${STEP_BELOW}"
    base = "docker-image://${STEP_FETCH}"
  }
  tags = ["${STEP_REF}${TAG_SUFFIX}"]
  args = {
    BASE_IMAGE = "below"
    FETCH_IMAGE = "base"
    ADDONS = STEP_ADDONS
    IMAGE_VERSION = IMAGE_VERSION
    IMAGE_REF = STEP_REF
  }
  labels = {
    "org.opencontainers.image.title" = image_name(STEP_REF)
  }
  cache-from = cache_from(image_name(STEP_REF))
  cache-to = cache_to(image_name(STEP_REF))
}

group "flavors" {
  targets = ["flavor"]
}
group "addons" {
  targets = ["addon"]
}
group "all" {
  targets = ["base", "flavors", "addons"]
}
