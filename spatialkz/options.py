"""Every set of choices of the package, once, for the library and the command line; imports nothing heavy."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

# Tables.
NumberKind: TypeAlias = Literal["volumes", "counts", "quotients"]
DecimalMark: TypeAlias = Literal[".", ","]
MarkMeaning: TypeAlias = Literal["zero", "suppressed", "flag"]
AbsentPair: TypeAlias = Literal["zero", "suppressed"]
BoundMethod: TypeAlias = Literal["auto", "exact", "shuttle"]

# Registers.
SectorLevel: TypeAlias = Literal["section", "division", "group", "class", "technology", "technology-3"]
RegisterBase: TypeAlias = Literal["sectors", "all"]
LeftOut: TypeAlias = Literal["error", "leave-out"]
PrefixOverlap: TypeAlias = Literal["error", "longest"]
OnBorder: TypeAlias = Literal["none", "first"]

# Regions and neighbors.
Vintage: TypeAlias = Literal[1999, 2018, 2022]
GraphPolicy: TypeAlias = Literal["error", "keep", "attach"]
WeightsInFile: TypeAlias = Literal["read", "ignore"]
Asymmetry: TypeAlias = Literal["mean", "longer", "shorter", "keep", "error"]
KernelFunction: TypeAlias = Literal[
    "triangular", "parabolic", "bisquare", "cosine", "gaussian", "exponential"
]

# Tests and descriptions.
Extreme: TypeAlias = Literal["low", "high"]
Alternative: TypeAlias = Literal["two-sided", "greater", "less"]
Adjustment: TypeAlias = Literal["fdr_bh", "fdr_by", "holm", "bonferroni"]

# Location quotients.
DegreesLost: TypeAlias = Literal[0, 1]
QuotientKind: TypeAlias = Literal[
    "simple", "symmetric", "additive", "normalized", "standardized", "log-standardized", "windowed"
]
QuotientMethod: TypeAlias = Literal[
    "binomial", "hypergeometric", "delta", "parametric-bootstrap", "nonparametric-bootstrap", "overdispersed"
]
ShareOf: TypeAlias = Literal["base", "sector"]
ProximityMethod: TypeAlias = Literal["conditional", "cosine"]
IndexName: TypeAlias = Literal[
    "hoover",
    "krugman",
    "locational_gini",
    "krugman_gini",
    "gini_of_quotients",
    "theil_t",
    "theil_l",
    "herfindahl",
    "herfindahl_normalized",
    "entropy",
]
CoefficientQuotient: TypeAlias = Literal["flegg", "augmented", "cross-industry", "round"]
FleggKind: TypeAlias = Literal["flegg", "augmented"]
CoefficientError: TypeAlias = Literal["wape", "mape", "rmse"]
AbsentSector: TypeAlias = Literal["error", "nan"]
Diagonal: TypeAlias = Literal["formula", "simple"]

# Spatial autocorrelation.
MoranMethod: TypeAlias = Literal[
    "permutation", "auto", "exact", "normal", "randomization", "exact-normal", "saddlepoint"
]
LocalMethod: TypeAlias = Literal["auto", "exact", "permutation"]
FdrOver: TypeAlias = Literal["regions", "regions and variables"]
GearyMethod: TypeAlias = Literal["permutation", "normal", "randomization"]
ResidualMethod: TypeAlias = Literal["exact-normal", "saddlepoint", "normal", "permutation"]
NormalTheory: TypeAlias = Literal["exact-normal", "saddlepoint", "normal"]
RandomizationMethod: TypeAlias = Literal["permutation", "randomization"]
CorrelogramStatistic: TypeAlias = Literal["moran", "geary"]

# Prerequisites.
CovariateTransform: TypeAlias = Literal["none", "log", "log1p"]
ContrastEffects: TypeAlias = Literal["two-way", "region", "sector"]
PrerequisiteMethod: TypeAlias = Literal["freedman-lane"]
PrerequisiteFamily: TypeAlias = Literal["all", "sector", "covariate"]
QuotientScale: TypeAlias = Literal["log1p", "symmetric", "none"]
SpatialModel: TypeAlias = Literal["lag", "error", "slx", "durbin"]
PrerequisiteLabel: TypeAlias = Literal[
    "supported",
    "rests on one region",
    "rests on two regions",
    "unequal variance",
    "same activity",
    "not found",
    "unattainable",
]
# Change over time.
ChangeMethod: TypeAlias = Literal["auto", "exact", "bootstrap", "rounding", "none"]
ShiftShareMethod: TypeAlias = Literal["classic", "esteban-marquillas", "spatial", "dynamic"]

# Clusters.
PartitionMethod: TypeAlias = Literal[
    "kmeans",
    "ward",
    "average",
    "complete",
    "mixture",
    "ward-contiguous",
    "skater",
    "region-kmeans",
    "clustgeo",
]
# Those, and max-p, which has a least size instead of a number of clusters.
ClusterMethod: TypeAlias = Literal[PartitionMethod, "max-p"]
Transform: TypeAlias = Literal["none", "log1p", "symmetric", "rank", "clr", "robust", "standard", "pca"]
NumberRule: TypeAlias = Literal[
    "structure", "silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic"
]
GapReference: TypeAlias = Literal["uniform", "pca"]
StructureNull: TypeAlias = Literal["gaussian", "column-permutation"]
StructureStatistic: TypeAlias = Literal["standardized-silhouette", "silhouette", "two-means"]
StabilityMethod: TypeAlias = Literal["bootstrap", "leave-one-region-out", "leave-one-sector-out"]

# Focal or not.
Grade: TypeAlias = Literal["count", "rank", "log1p", "symmetric"]
ColocationNull: TypeAlias = Literal["columns", "sizes"]
SpreadVerdict: TypeAlias = Literal["few", "not shown"]
PlaceVerdict: TypeAlias = Literal["apart", "adjoining", "open"]
FocalPart: TypeAlias = Literal["colocation", "sectors", "shape", "place"]
FocalModel: TypeAlias = Literal["foci", "adjoining", "belt", "gradient", "sector belts", "dispersed"]

# Scores and ranks.
Normalization: TypeAlias = Literal["rank", "minmax", "z", "target"]
Weighting: TypeAlias = Literal["equal", "pca", "entropy", "bod"]
Aggregation: TypeAlias = Literal["arithmetic", "geometric", "topsis", "copeland"]
StarRounding: TypeAlias = Literal["ceil", "floor", "round"]
StarsWithin: TypeAlias = Literal["sector", "region", "table"]
NamingStatistic: TypeAlias = Literal["symmetric", "share"]

# Reports.
Language: TypeAlias = Literal["en", "ru", "kk"]
FigureSet: TypeAlias = Literal["page", "all", "none"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
