PIPELINE_NAME = "seals"
BASE_IMAGE = "registry.example.com/seals/base:dev"
WAREHOUSE_SECRET = "seals-warehouse"
STEPS = "/app/src/pipeline_steps"
