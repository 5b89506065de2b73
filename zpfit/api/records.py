"""Types of the records of results, as their JSON files hold them."""

from zpfit.analysis.records import (
    AtlasScreenRecord,
    CampaignRecord,
    CertificateRecord,
    ComparisonRow,
    CoverageRecord,
    CoveredRecord,
    ExclusionMapRecord,
    FitSummary,
    LimitRecord,
    PointRecord,
    ProfileRecord,
    TensionRecord,
    ToysRecord,
    ToyStatisticRecord,
)

__all__ = [
    "AtlasScreenRecord",
    "CampaignRecord",
    "CertificateRecord",
    "ComparisonRow",
    "CoverageRecord",
    "CoveredRecord",
    "ExclusionMapRecord",
    "FitSummary",
    "LimitRecord",
    "PointRecord",
    "ProfileRecord",
    "TensionRecord",
    "ToyStatisticRecord",
    "ToysRecord",
]
