"""The ledger's events: what was decided, each one JSON line in git and one sentence for people."""

from enum import StrEnum

import msgspec

from tagline.git.event import Done, Event, Intent
from tagline.git.texts import Count, Counter, Hash, Name, Percent, ReleaseText, VersionOrNone, VersionText
from tagline.words import ModelVersion, Promotion, Release, ReleaseTag


class Verdict(StrEnum):
    """What the gate said."""

    PASSED = "passed"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    OVERRIDDEN = "overridden"


class By(StrEnum):
    """Who took a model back: the canary's test, or a person."""

    CANARY = "canary"
    PERSON = "person"


class OfRelease(Event, frozen=True, kw_only=True):
    """An event of one release of a pipeline."""

    pipeline: Name
    version: ReleaseText

    @property
    def release(self) -> Release:
        return Release.parse(self.version)

    @property
    def key(self) -> tuple[str, Release]:
        return self.pipeline, self.release


class Released(OfRelease, frozen=True, tag="released"):
    """A release was claimed; `identity` is its image or environment, `several`: its tag names the pipeline."""

    commit: Hash
    identity: str
    several: bool = False

    @property
    def tag(self) -> str:
        """The name of the tag that was pushed with it."""
        return str(ReleaseTag(self.release, self.pipeline if self.several else ""))

    def sentence(self) -> str:
        return f"released {self.pipeline} {self.version} from commit {self.commit[:10]}"


class Uploaded(OfRelease, frozen=True, tag="uploaded"):
    """A release's compiled pipeline reached the platform."""

    digest: str

    def sentence(self) -> str:
        return f"uploaded {self.pipeline} {self.version}"


class Trained(Event, frozen=True, tag="trained"):
    """A finished training was registered as a model version; `owner` is the key of its run."""

    pipeline: Name
    model: Name
    model_version: VersionText
    owner: str
    uri: str
    sha256: str
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    data_sha256: str = ""

    @property
    def version(self) -> ModelVersion:
        return ModelVersion.parse(self.model_version)

    def sentence(self) -> str:
        return f"registered {self.model} {self.model_version}, trained by {self.owner}"


class OfPlace(Event, frozen=True, kw_only=True):
    """An event of one model in one environment."""

    env: Name
    model: Name


class OfPromotion(OfPlace, frozen=True, kw_only=True):
    """An event of one promotion."""

    n: Counter

    @property
    def promotion(self) -> Promotion:
        return Promotion(self.env, self.model, self.n)


class Asked(OfPromotion, frozen=True, tag="asked"):
    """A promotion tag was read: what it resolves to, once and for all."""

    tag: Hash
    commit: Hash
    model_version: VersionText
    reason: str = ""
    override: str = ""
    accept_blind: str = ""
    rollback_of: str = ""

    def sentence(self) -> str:
        return f"{self.promotion} asks for {self.model_version}{_because(self.reason)}"


class Gated(OfPromotion, frozen=True, tag="gated"):
    """The gate answered; `numbers` are what it decided by."""

    verdict: Verdict
    why: str = ""
    numbers: dict[str, float] = msgspec.field(default_factory=dict)

    def sentence(self) -> str:
        return f"the gate judged {self.promotion}: {self.why or self.verdict}"


class WeightMoved(OfPromotion, frozen=True, tag="weight moved"):
    """The share of traffic (percent) of the promotion's model changed."""

    model_version: VersionText
    weight: Percent

    def sentence(self) -> str:
        return f"{self.model_version} takes {self.weight} % of {self.env}/{self.model}"


class Promoted(OfPromotion, frozen=True, tag="promoted"):
    """The model serves alone; `previous` is what it replaced, "" where nothing served."""

    model_version: VersionText
    previous: VersionOrNone = ""

    def sentence(self) -> str:
        after = f", after {self.previous}" if self.previous else ""
        return f"{self.model_version} serves {self.env}/{self.model}{after}"


class RolledBack(OfPromotion, frozen=True, tag="rolled back"):
    """A model was taken back and is blocked here; `to` serves now ("" where nothing does)."""

    taken_back: VersionText
    to: VersionOrNone
    by: By
    why: str = ""
    numbers: dict[str, float] = msgspec.field(default_factory=dict)

    def sentence(self) -> str:
        who = "the canary" if self.by is By.CANARY else self.actor or "a person"
        left = f"{self.to} serves" if self.to else "nothing serves"
        return f"{who} took {self.taken_back} back from {self.env}/{self.model}, {left}{_because(self.why)}"


class Inconclusive(OfPromotion, frozen=True, tag="inconclusive"):
    """Not enough evidence: not promoted, nothing blocked."""

    why: str

    def sentence(self) -> str:
        return f"{self.promotion} ended without enough evidence{_because(self.why)}"


class Failed(OfPromotion, frozen=True, tag="failed"):
    """The promotion cannot be carried out."""

    why: str

    def sentence(self) -> str:
        return f"{self.promotion} failed{_because(self.why)}"


class Superseded(OfPromotion, frozen=True, tag="superseded"):
    """A newer promotion, number `by`, took this one's place."""

    by: Counter

    def sentence(self) -> str:
        return f"{self.promotion} gave way to number {self.by}"


class OfBlock(OfPlace, frozen=True, kw_only=True):
    """An event of a block: `by` is the person who set or lifted it."""

    model_version: VersionText
    by: str
    why: str

    @property
    def version(self) -> ModelVersion:
        return ModelVersion.parse(self.model_version)


class Blocked(OfBlock, frozen=True, tag="blocked"):
    """A model version must not be promoted in an environment."""

    def sentence(self) -> str:
        return f"{self.by} blocked {self.model_version} in {self.env}/{self.model}{_because(self.why)}"


class Unblocked(OfBlock, frozen=True, tag="unblocked"):
    """A block was lifted."""

    def sentence(self) -> str:
        return f"{self.by} unblocked {self.model_version} in {self.env}/{self.model}{_because(self.why)}"


class Adopted(OfPlace, frozen=True, tag="adopted"):
    """A person settled all promotions up to number `n`, and the tags in `ignored` that nobody can read.

    `serves` is the model version that serves already, "" where none does.
    """

    n: Count
    reason: str
    serves: VersionOrNone = ""
    ignored: list[str] = msgspec.field(default_factory=list)

    def sentence(self) -> str:
        serving = f"{self.serves} serves" if self.serves else "nothing serves"
        return f"adopted {self.env}/{self.model} up to number {self.n}: {serving}{_because(self.reason)}"


PromotionEvent = Asked | Gated | WeightMoved | Promoted | RolledBack | Inconclusive | Failed | Superseded
AnyEvent = Released | Uploaded | Trained | PromotionEvent | Blocked | Unblocked | Adopted | Intent | Done


def _because(why: str) -> str:
    return f": {why}" if why else ""
