"""Proofs: lower bounds of the joint sigma by branch and bound with outward rounding."""
