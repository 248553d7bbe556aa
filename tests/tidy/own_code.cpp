// A plugin for clang-tidy: its checks walk through our declarations and not through those of Boost, pqxx and the standard
// library, which are a hundred times as many. It makes the difference between four minutes and half an hour.
#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/Frontend/FrontendPluginRegistry.h>

#include <memory>
#include <string>
#include <vector>

namespace {

class our_declarations final : public clang::ASTConsumer {
public:
    // Called before the checks' own consumer.
    void HandleTranslationUnit(clang::ASTContext& context) override
    {
        std::vector<clang::Decl*> ours;
        for (clang::Decl* declared : context.getTranslationUnitDecl()->decls())
            if (!context.getSourceManager().isInSystemHeader(declared->getLocation())) ours.push_back(declared);
        context.setTraversalScope(ours);
    }
};

class before_the_checks final : public clang::PluginASTAction {
    std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance&, llvm::StringRef) override
    {
        return std::make_unique<our_declarations>();
    }
    bool ParseArgs(const clang::CompilerInstance&, const std::vector<std::string>&) override { return true; }
    ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<before_the_checks> registered("our-declarations", "checks see our declarations only");

}  // namespace
