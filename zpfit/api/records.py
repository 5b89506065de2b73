"""Types of the records of results, as their JSON files hold them."""

from zpfit.analysis.records import (
    AtlasFitsRecord,
    AtlasScreenRecord,
    CampaignRecord,
    CertificateRecord,
    ComparisonRow,
    CoverageRecord,
    CoveredRecord,
    ExclusionMapRecord,
    FitSummary,
    LimitRecord,
    LookElsewhereRecord,
    PointRecord,
    ProfileRecord,
    TensionRecord,
    ToysRecord,
    ToyStatisticRecord,
)

__all__ = [
    "AtlasFitsRecord",
    "AtlasScreenRecord",
    "CampaignRecord",
    "CertificateRecord",
    "ComparisonRow",
    "CoverageRecord",
    "CoveredRecord",
    "ExclusionMapRecord",
    "FitSummary",
    "LimitRecord",
    "LookElsewhereRecord",
    "PointRecord",
    "ProfileRecord",
    "TensionRecord",
    "ToyStatisticRecord",
    "ToysRecord",
]
