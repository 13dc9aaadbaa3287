"""The CI hosts' APIs on loopback: as their documentation has them, and stricter where it leaves things open."""
